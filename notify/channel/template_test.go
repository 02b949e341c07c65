package channel

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

func TestTemplatesAreRefused(t *testing.T) {
	deep := strings.Repeat("{{range $.Alerts}}", 60) + strings.Repeat("{{end}}", 60)
	double := `{{$x := "0123456789abcdef"}}` + strings.Repeat("{{$x = print $x $x}}", 60)
	for name, c := range map[string]struct{ text, says string }{
		"no template":             {"{{", "unclosed action"},
		"unknown field":           {"{{.Password}}", "can't evaluate field Password"},
		"unknown function":        {"{{env \"HOME\"}}", "function \"env\" not defined"},
		"loop of numbers":         {"{{range 1000000000}}{{end}}", "1000 rounds"},
		"loops within loops":      {deep, "1000 rounds"},
		"calls itself":            {`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`, "define and block"},
		"block":                   {`{{block "a" .}}{{end}}`, "define and block"},
		"calls itself by name":    {`{{if true}}{{template "text"}}{{end}}`, "template is not known"},
		"wide":                    {`{{printf "%1000000d" 1}}`, "three digits"},
		"wide by argument":        {`{{printf "%*d" 1000000 1}}`, "three digits"},
		"wide by index":           {`{{printf "%[1]*[2]d" 1000000 1}}`, "three digits"},
		"precise":                 {`{{printf "%.1000000f" 1.0}}`, "three digits"},
		"doubles":                 {double, "bytes"},
		"long":                    {strings.Repeat(strings.Repeat("x", 100)+`{{printf "%500d" 1}}`, 40), "longer than"},
		"replaces by more":        {`{{replace "e" (printf "%900d" 1) (printf "%900d" 2 | replace " " "e")}}`, "too much comes of it"},
		"zone of the server":      {`{{time "Local" .From}}`, "no time zone"},
		"file as a zone":          {`{{time "../../etc/passwd" .From}}`, "no time zone"},
		"method of a time":        {`{{.From.UTC}}`, "can't evaluate field UTC"},
		"what a time is made of":  {`{{.From.at}}`, "unexported field"},
		"call":                    {`{{call .Channel}}`, "wrong number of args"},
		"only where it is a test": {`{{if eq .Total 128}}{{index .Alerts 99}}{{end}}`, "out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			err := CheckTemplates(monitor.NoticeFormat{Text: c.text})
			var told *monitor.Error
			if !errors.As(err, &told) || told.Code != monitor.CodeBadInput || !slices.Equal(told.Path, []string{"input", "template.text"}) || !strings.Contains(told.Message, c.says) || strings.Contains(told.Message, "channel.") {
				t.Errorf("got %v, want BAD_INPUT of template.text that says %q, and no type of the program", err, c.says)
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	err := CheckTemplates(monitor.NoticeFormat{Subject: "{{.X}}"})
	var told *monitor.Error
	if !errors.As(err, &told) || !slices.Equal(told.Path, []string{"input", "template.subject"}) {
		t.Errorf("got %v, want BAD_INPUT of template.subject", err)
	}
	if err := CheckTemplates(monitor.NoticeFormat{}); err != nil {
		t.Errorf("the usual words: %v", err)
	}
}

func TestFunctionsOfTemplates(t *testing.T) {
	for text, want := range map[string]string{
		`{{join "/" (index .Alerts 0).Techniques}}`:                              "T1059.001/T1027",
		`{{upper "a"}}{{lower "B"}}`:                                             "Ab",
		`{{truncate 3 "äöüß"}}`:                                                  "äö…",
		`{{if contains "web" (index .Alerts 0).Host}}yes{{end}}`:                 "yes",
		`{{replace "a" "b" "banana"}}`:                                           "bbnbnb",
		`{{default "none" ""}} {{"x" | default "none"}}`:                         "none x",
		`{{time "America/New_York" .From}} {{.From}}`:                            "2026-03-14 05:26 EDT 2026-03-14T09:26:53Z",
		`{{duration 90}} {{duration 120}}`:                                       "90 minutes 2 hours",
		`{{printf "%03d %s" .Total .Severity}}`:                                  "001 HIGH",
		`{{range $i, $a := .Alerts}}{{$i}}:{{$a.Host}}{{else}}-{{end}}`:          "0:web-1.example.com",
		`{{range .Severities}}{{.Count}} {{.Value}}{{break}}{{end}}`:             "1 HIGH",
		`{{with .Alerts}}{{len .}}{{end}}{{if and .Test (gt .Total 0)}}!{{end}}`: "1!",
	} {
		got, err := execute("template.text", text, clean(Example("x")))
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
}

// A field that is added to notices is one that templates want, too.
func TestTemplatesKnowAllOfANotice(t *testing.T) {
	for _, pair := range []struct{ of, has reflect.Type }{
		{reflect.TypeFor[monitor.Notice](), reflect.TypeFor[fields]()},
		{reflect.TypeFor[monitor.NoticeAlert](), reflect.TypeFor[alertFields]()},
		{reflect.TypeFor[monitor.NoticeCount](), reflect.TypeFor[countFields]()},
	} {
		for i := range pair.of.NumField() {
			if _, ok := pair.has.FieldByName(pair.of.Field(i).Name); !ok {
				t.Errorf("%s.%s is not among %s", pair.of, pair.of.Field(i).Name, pair.has)
			}
		}
	}
}
