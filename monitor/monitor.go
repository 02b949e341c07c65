// Package monitor holds the nouns of the product: events, alerts, rules, users,
// the journal, filters over them, and the error codes. It has no behaviour that
// needs a database, a network or a clock, and imports the standard library
// and page only.
package monitor
