// Package door decides who may come in over HTTP, and on what terms.
//
// # What every request must be
//
//   - Its Host is an address that this server is known under: what it listens on,
//     or the public URL. A page of another site whose name was made to resolve
//     to this machine (DNS rebinding) carries that other name and is refused.
//   - It is logged in, on loopback too: other people and other programs share a
//     machine. A program sends the token as a bearer; a browser holds a cookie
//     that is signed with it. The cookie is HttpOnly and SameSite=Strict, and no
//     script of any page reads it.
//   - If it changes something and comes from a browser, the browser itself says
//     that a page of this origin sent it (Sec-Fetch-Site, Origin), and it repeats
//     a token that only such a page knows. In read-only mode it is refused.
//
// # How a browser gets the cookie
//
// By a link that works once and for a quarter of an hour, printed at the start,
// or by typing the token. Five wrong guesses a minute are listened to from one
// address.
//
// # What it does not do
//
// It encrypts nothing: beyond loopback, put a server with TLS in front and name
// its address as the public URL. It keeps no list of sessions: a cookie ends
// by itself, or with the token, which ends them all.
package door
