package main

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// Help writes --flag=VALUE for a default and for a placeholder alike: a placeholder
// that is a value itself, such as 720h, reads as what happens without the flag.
func TestPlaceholdersAreNoValues(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Vars{"version": "", "datadir": ""})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`[A-Z]`)
	flags := 0
	err = kong.Visit(parser.Model.Node, func(node kong.Visitable, next kong.Next) error {
		flag, ok := node.(*kong.Flag)
		if !ok || flag.PlaceHolder == "" {
			return next(nil)
		}
		flags++
		_, isDuration := time.ParseDuration(flag.PlaceHolder)
		if isDuration == nil || json.Valid([]byte(flag.PlaceHolder)) || !name.MatchString(flag.PlaceHolder) {
			t.Errorf("--%s=%s reads as its default", flag.Name, flag.PlaceHolder)
		}
		return next(nil)
	})
	if err != nil || flags < 10 {
		t.Errorf("%d placeholders, %v", flags, err)
	}
}
