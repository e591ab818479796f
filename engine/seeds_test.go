//go:build !race

package engine_test

// defaultSeeds are simulated by every test run: some two minutes on two cores.
const defaultSeeds = 2000
