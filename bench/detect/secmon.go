package detect

import (
	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// secmon is the product's engine.
type secmon struct {
	rules  *detect.Ruleset
	events []*event
	hits   []monitor.Match

	normaliser *ingest.Normaliser
	about      monitor.Event
	rec        monitor.Record
}

func (s *secmon) load(rules []rule) int {
	parsed := make([]*monitor.Rule, 0, len(rules))
	for _, r := range rules {
		p, err := detect.Parse(r.source)
		if err != nil {
			continue
		}
		p.Path = r.path
		parsed = append(parsed, p)
	}
	s.rules, s.normaliser = detect.Compile(parsed), ingest.NewNormaliser()
	return s.rules.Len()
}

func (s *secmon) prepare(events []*event) { s.events = events }

func (s *secmon) match(i int, fired func(string)) int {
	return s.run(&s.events[i].rec, fired)
}

// matchRaw goes all the way from the JSON as it came.
func (s *secmon) matchRaw(i int) (int, error) {
	s.rec.Reset()
	if err := s.normaliser.Normalise(s.events[i].raw, received, &s.about, &s.rec); err != nil {
		return 0, err
	}
	return s.run(&s.rec, nil), nil
}

func (s *secmon) run(rec *monitor.Record, fired func(string)) int {
	s.hits = s.rules.Match(rec, s.hits[:0])
	if fired != nil {
		for _, m := range s.hits {
			fired(m.Rule.Path)
		}
	}
	return len(s.hits)
}
