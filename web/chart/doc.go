// Package chart draws what package view lays out, as SVG: axes with units, a
// title for every mark under the pointer, no script and no inline style. Colours
// come from the page's style sheet by class, so that a chart follows dark and
// light and prints in black on white.
//
// A drawing is decoration for those who see it: pages give the same values as a
// sentence and a table beside it, and hide the drawing from screen readers.
package chart
