package ingest

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/security-monitor/secmon/monitor"
)

// Replay sends dead letters through the pipeline again, as they are or, asText, each as
// the message of a record of its own. It says of each what became of it; an error means
// that nothing is known of any. A letter whose event is stored is not stored again.
func (in *Intake) Replay(ctx context.Context, letters []*monitor.DeadLetter, asText bool) ([]*monitor.LetterReplay, error) {
	replays := make([]*monitor.LetterReplay, len(letters))
	batch := &monitor.Batch{}
	var sent []*monitor.LetterReplay // those in the batch, beside its parts
	for i, letter := range letters {
		replay := &monitor.LetterReplay{Letter: letter}
		replays[i] = replay
		if letter.State == monitor.LetterReplayed {
			replay.Stored, replay.Again, replay.Result = true, true, "it was replayed before"
			continue
		}
		if replay.Result = in.addLetter(batch, letter, asText); replay.Result == "" {
			batch.Parts, sent = append(batch.Parts, letter.PartOf()), append(sent, replay)
		}
	}
	if len(sent) == 0 {
		return replays, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errBusy)
	defer cancel()
	count(in.meter(), batch, 0)
	if _, err := in.Pipeline.Submit(ctx, batch); err != nil {
		return nil, err
	}
	for i, replay := range sent {
		part := batch.Parts[i]
		replay.Stored, replay.Letter.Batch, replay.Result = true, part.Batch, "stored as "+batch.Events[i].Format
		if replay.Again = part.Outcome != monitor.PartStored; replay.Again {
			replay.Result = "it is stored since an earlier replay"
		}
	}
	return replays, nil
}

// addLetter puts a letter's event into a batch, or says why it cannot be one.
func (in *Intake) addLetter(batch *monitor.Batch, letter *monitor.DeadLetter, asText bool) (problem string) {
	if letter.Cut {
		return "only the record's beginning is kept; send it again instead"
	}
	raw := bytes.TrimSpace(letter.Raw)
	if len(raw) == 0 {
		return "nothing of the record is kept"
	}
	if asText {
		text, err := json.Marshal(map[string]string{"message": printable(raw)})
		if err != nil {
			return err.Error()
		}
		raw = text
	}
	if code, message := (&splitter{limits: in.Limits}).check(raw); code != "" {
		return code + ": " + message
	}
	event, record := &monitor.Event{}, &monitor.Record{}
	if err := in.Normaliser.normaliseBy(letter.Mapping, raw, letter.At, event, record); err != nil {
		return cutRunes(clean(err.Error()), maxName)
	}
	matches := in.Detector.Match(record, nil)
	if in.Indicators != nil {
		matches = in.Indicators.Match(event, record, matches)
	}
	addMatches(batch, matches)
	batch.Events = append(batch.Events, event)
	return ""
}
