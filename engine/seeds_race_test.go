//go:build race

package engine_test

// defaultSeeds are fewer under the race detector, which is ten times slower.
const defaultSeeds = 60
