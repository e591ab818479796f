// Package web is weir's face in a browser and for programs: pages that a server
// makes and keeps up to date, and the JSON API that they are made from.
//
// Who may come in is decided in package door, what a page says in package view,
// how a chart is drawn in package chart. This package is what is left: routes,
// reading the ledger, templates, and the stream of changes.
//
// # Reading
//
// Everything shown is read from the ledger, so that any process of a fleet shows
// the same. What only the service knows (which accounts are configured, whether
// a key was refused) comes through [Keeper], and so does what a button asks for:
// a button never decides, it records a person's wish as the commands do.
//
// # Live
//
// A page is made of regions and their rows. While somebody looks, the regions are
// made again each second at most, and what changed is sent as server-sent events:
// the same HTML that the page was made of. Without scripts a page works too, and
// is up to date when it is loaded.
//
// # Hostile text
//
// Names from the API go through html/template and nothing else. No address holds
// a secret or a value of a forecast, and no page holds an inline script or style.
package web
