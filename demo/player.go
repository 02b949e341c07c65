// Package demo plays attack stories and everyday noise of a small company
// through the real ingest endpoint, so that a new installation shows something.
// Outsiders come from the documentation networks of RFC 5737, names from
// example domains of RFC 2606.
package demo

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"
)

// Player makes up records. The same seed and clock give the same ones. Not for
// concurrent use.
type Player struct {
	r     *rand.Rand
	now   func() time.Time
	story string
	rest  []Moment // of the story, still to come
	calm  int      // steps of noise until the next story
	deck  []int    // stories still to come before any comes again
}

// New makes a player. It begins with a story a few seconds after the history.
func New(seed int64, clock func() time.Time) *Player {
	return &Player{r: rand.New(rand.NewPCG(uint64(seed), 1)), now: clock, calm: 2} //nolint:gosec // demo data
}

// Step is what is sent together, after a delay.
type Step struct {
	Delay   time.Duration
	Story   string // "noise" outside of stories
	Records []json.RawMessage
}

// Moment is a record of a story and when it happened.
type Moment struct {
	At     time.Time
	Record json.RawMessage
}

// Story is an attack. Play gives its records from the time at on, in order,
// within about a minute; they make at least the starter pack's rules of these
// titles fire.
type Story struct {
	Name  string
	Rules []string
	Play  func(p *Player, at time.Time) []Moment
}

const noise = "noise"

// How much happened before the demo began, and how much of it goes into a request.
const (
	historyTime    = 24 * time.Hour
	historyGap     = 10 * time.Minute // between moments of noise
	historyStories = 9                // one every so many hours
	historyStep    = 100              // records
)

// History gives what happened in the last day, oldest first: a few hundred
// records, in steps without delay.
func (p *Player) History() []Step {
	now := p.now()
	var all []Moment
	for ago := historyTime; ago > historyGap; ago -= historyGap {
		all = append(all, p.noise(now.Add(-ago), 1+p.r.IntN(4))...)
	}
	for i := range historyStories {
		ago := historyTime * time.Duration(historyStories-i) / (historyStories + 1)
		all = append(all, p.nextStory().Play(p, now.Add(-ago-time.Duration(p.r.IntN(60))*time.Minute))...)
	}
	slices.SortStableFunc(all, func(a, b Moment) int { return a.At.Compare(b.At) })
	var steps []Step
	for chunk := range slices.Chunk(all, historyStep) {
		steps = append(steps, Step{Story: "history", Records: records(chunk)})
	}
	return steps
}

// Next gives the next step, one to four seconds later, or when its story goes on:
// noise, and now and then the beginning or the next moments of a story. Nothing in
// it lies after the time at which it is to be sent.
func (p *Player) Next() Step {
	delay := time.Second + time.Duration(p.r.IntN(3_000))*time.Millisecond
	at := p.now().Add(delay)
	if len(p.rest) == 0 {
		if p.calm--; p.calm > 0 {
			return Step{Delay: delay, Story: noise, Records: records(p.noise(at, 1+p.r.IntN(3)))}
		}
		story := p.nextStory()
		p.story, p.rest, p.calm = story.Name, story.Play(p, at), 10+p.r.IntN(12)
	}
	if next := p.rest[0].At; next.After(at) {
		delay, at = delay+next.Sub(at), next
	}
	n := 1
	for n < len(p.rest) && !p.rest[n].At.After(at) {
		n++
	}
	step := Step{Delay: delay, Story: p.story, Records: records(p.rest[:n])}
	p.rest = p.rest[n:]
	return step
}

// nextStory takes stories in random order, each once before any comes again.
func (p *Player) nextStory() Story {
	if len(p.deck) == 0 {
		p.deck = p.r.Perm(len(Stories))
	}
	story := Stories[p.deck[0]]
	p.deck = p.deck[1:]
	return story
}

func records(moments []Moment) []json.RawMessage {
	list := make([]json.RawMessage, len(moments))
	for i, m := range moments {
		list[i] = m.Record
	}
	return list
}

func pick[T any](p *Player, from []T) T { return from[p.r.IntN(len(from))] }
