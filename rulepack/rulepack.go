// Package rulepack holds the detection rules that every installation starts
// with. They are of our own writing, in Sigma's form, and nothing but data.
package rulepack

import (
	"embed"
	"io/fs"
)

//go:embed rules/*.yml
var files embed.FS

// Rules is the tree of rule files.
var Rules fs.FS = files
