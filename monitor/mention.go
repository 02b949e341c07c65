package monitor

import (
	"regexp"
	"slices"
	"strings"
)

// maxMentions bounds whom one comment can name.
const maxMentions = 50

// A name as auth allows it. What stands before the @ keeps addresses such as
// ana@example.org out.
var mention = regexp.MustCompile(`(?:^|[^\pL\pN_.@-])@([A-Za-z0-9][A-Za-z0-9._@-]{0,63})`)

// MentionedNames gives the names that stand as @name in a text, in lower case and
// each once. Whether somebody is called so is another question. "@ana." can be ana
// at the end of a sentence and ana. itself: both are given.
func MentionedNames(body string) []string {
	var names []string
	add := func(name string) {
		if name != "" && len(names) < maxMentions && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, found := range mention.FindAllStringSubmatch(body, -1) {
		name := strings.ToLower(found[1])
		add(name)
		add(strings.TrimRight(name, "._@-"))
	}
	return names
}
