package monitor

// Batch is what one ingest transaction stores: events, and the findings about
// them. The store gives the batch its id and the events theirs.
type Batch struct {
	Events   []*Event
	Findings []Finding
	Samples  []Sample
	Parts    []*Part // none where no sender names what it sends
}

// Finding is a rule that fired on an event of the batch.
type Finding struct {
	Event   int // index in Events
	Rule    *Rule
	Matched []MatchedField
}
