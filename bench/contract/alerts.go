package contract

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// The first alert, the loud one, and the first incident, the large one, are as
// deep as such things get: their lists have a page 1,000.
const (
	loudEvidence   = 20_000
	loudComments   = 20_000
	loudChanges    = 20_000
	largeIncident  = 50_000
	alertsPerGroup = 4
	mostEvidence   = 40
)

// alert adds alert n, raised by an event of batch i, to the filling, and gives
// its first change and what analysts did with it.
func (p *plan) alert(f *db.Filling, i, n int, r *rand.Rand) (monitor.Change, []monitor.EntryBody) {
	at := p.at(i)
	rule := p.rules[int(rand.NewZipf(r, 1.2, 3, uint64(len(p.rules)-1)).Uint64())] //nolint:gosec // small
	first := r.IntN(len(f.Events))
	a := monitor.NewAlert(id(r, at), rule, f.Events[first], at)
	a.Severity = severity(r, 100, 300, 380, 180, 40)
	f.Alerts = append(f.Alerts, a)
	p.evidence(f, a, i, first, r)
	raised := change(a, monitor.ActionAlertRaise, nil)
	story := p.work(a, n, r)
	p.comments(f, a, n, r)
	// Not open twice: that is what the store's key is about.
	a.DedupKey = append(a.DedupKey[:24:24], byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n)) //nolint:gosec // bytes of a number
	return raised, story
}

// evidence: most alerts have one match, a few have dozens.
func (p *plan) evidence(f *db.Filling, a *monitor.Alert, i, first int, r *rand.Rand) {
	a.Count = 1
	if r.IntN(10) < 3 {
		a.Count = 1 + int(r.ExpFloat64()*12)
	}
	matched := []monitor.MatchedField{{Field: "Image", Value: a.Process, Pattern: `*\powershell.exe`, Selection: "selection_img"}}
	for k := range min(a.Count, mostEvidence, i+1) {
		batch := p.batchID(i - k)
		f.Evidence = append(f.Evidence, &monitor.Evidence{AlertID: a.ID, Event: monitor.EventID{Batch: batch, Ordinal: uint32((first + k) % batchEvents)}, Matched: matched}) //nolint:gosec // small
	}
	a.FirstSeen = a.FirstSeen.Add(-time.Duration(a.Count) * time.Minute)
}

// work is what analysts do: four fifths are closed, most of the old ones.
func (p *plan) work(a *monitor.Alert, n int, r *rand.Rand) (story []monitor.EntryBody) {
	user := p.users[r.IntN(len(p.users))]
	act := func(action string, after time.Duration, do func(time.Time) error) {
		at := a.CreatedAt.Add(after).Truncate(time.Microsecond)
		if at.After(p.End) {
			at = p.End
		}
		was := *a
		if err := do(at); err != nil {
			panic(fmt.Sprintf("bench: %s: %v", action, err)) // an open alert lets it be done
		}
		a.Version, a.UpdatedAt = a.Version+1, at
		actor := monitor.Actor{Kind: monitor.ActorUser, ID: user.ID, Name: user.Name}
		story = append(story, monitor.EntryBody{At: at, Actor: actor, Action: action, Changes: []monitor.Change{change(a, action, &was)}})
	}
	age := float64(n) / float64(p.Alerts) // 1 is the newest
	closed := r.Float64() < 0.99-0.95*age*age*age*age
	if closed || r.IntN(3) == 0 {
		act(monitor.ActionAlertAcknowledge, time.Duration(r.ExpFloat64()*float64(time.Hour)), func(at time.Time) error {
			a.AssigneeID = user.ID
			return a.Acknowledge(at)
		})
	}
	if closed {
		findings := []monitor.AlertDisposition{monitor.FalsePositive, monitor.Benign, monitor.TruePositive, monitor.Duplicate}
		act(monitor.ActionAlertClose, time.Duration((2+r.ExpFloat64()*8)*float64(time.Hour)), func(at time.Time) error {
			return a.Close(findings[weighted(r, 500, 300, 150, 50)], "Known maintenance of the build servers, see the change calendar.", at)
		})
	}
	return story
}

func (p *plan) comments(f *db.Filling, a *monitor.Alert, n int, r *rand.Rand) {
	if n%5 != 0 {
		return
	}
	for k := range 1 + n%3 {
		at := a.CreatedAt.Add(time.Duration(k+1) * 17 * time.Minute)
		f.Comments = append(f.Comments, p.comment(a, at, r))
		a.Comments++
	}
}

func (p *plan) comment(a *monitor.Alert, at time.Time, r *rand.Rand) *monitor.Comment {
	return &monitor.Comment{
		ID: id(r, at), AlertID: a.ID, AuthorID: p.users[r.IntN(len(p.users))].ID, CreatedAt: at,
		Body: "Asked the owner of the machine. The task belongs to the nightly build; the command line is the one in the runbook.",
	}
}

func change(a *monitor.Alert, action string, was *monitor.Alert) monitor.Change {
	c, err := monitor.NewChange(monitor.KindAlert, a.ID, action, was, a)
	if err != nil {
		panic(err) // an alert has a JSON form
	}
	return c
}

// incident makes the incident over alerts from..to of those given, oldest first.
func (p *plan) incident(n int, alerts []*monitor.Alert) *db.Filling {
	r := p.random("incident", n)
	newest := alerts[len(alerts)-1]
	at := newest.CreatedAt.Add(time.Minute)
	i := &monitor.Incident{
		ID: id(r, at), Version: 1, Title: "Several detections on " + newest.Host, Severity: severity(r, 50, 200, 400, 250, 100),
		Status: monitor.IncidentOpen, AlertCount: len(alerts), CreatedAt: at, UpdatedAt: at,
	}
	if r.IntN(5) > 0 {
		if err := i.Close(monitor.Benign, "All of it was the penetration test of the quarter.", at.Add(time.Hour)); err != nil {
			panic(err) // it is open
		}
	}
	f := &db.Filling{Incidents: []*monitor.Incident{i}, Members: map[monitor.ID][]monitor.ID{}}
	for _, a := range alerts {
		f.Members[i.ID] = append(f.Members[i.ID], a.ID)
	}
	return f
}

// loud makes an alert that has fired all the time and that everybody talks
// about: its lists have a page 1,000. A share makes it smaller.
func (p *plan) loud(share float64) *db.Filling {
	f, r := &db.Filling{}, p.random("loud", 0)
	scaled := func(n int) int { return max(int(float64(n)*share), 20) }
	name, at := p.batchID(0), p.at(0)
	a := monitor.NewAlert(id(r, at), p.rules[0], event(r, newZipfs(r), monitor.EventID{Batch: name}, at), at)
	f.Alerts = []*monitor.Alert{a}
	raised := change(a, monitor.ActionAlertRaise, nil)
	f.Journal = []monitor.EntryBody{{At: at, Actor: monitor.SystemActor, Action: monitor.ActionIngest, Changes: []monitor.Change{raised}}}
	for k := range min(scaled(loudEvidence), p.Events) {
		found := monitor.EventID{Batch: p.batchID(k % p.batches()), Ordinal: uint32(k / p.batches())} //nolint:gosec // below batchEvents
		f.Evidence = append(f.Evidence, &monitor.Evidence{AlertID: a.ID, Event: found, Matched: []monitor.MatchedField{}})
	}
	for k := range scaled(loudComments) {
		f.Comments = append(f.Comments, p.comment(a, at.Add(time.Duration(k)*time.Second), r))
		a.Comments++
	}
	for range scaled(loudChanges) {
		was := *a
		at = at.Add(time.Minute)
		a.Count, a.Version, a.LastSeen = a.Count+1, a.Version+1, at
		repeated := change(a, monitor.ActionAlertRepeat, &was)
		f.Journal = append(f.Journal, monitor.EntryBody{At: at, Actor: monitor.SystemActor, Action: monitor.ActionIngest, Changes: []monitor.Change{repeated}})
	}
	return f
}

// loudID is the id of that alert.
func (p *plan) loudID() monitor.ID { return id(p.random("loud", 0), p.at(0)) }

// largeSize is how many alerts the largest incident has: the oldest ones.
func (p *plan) largeSize() int { return max(1, min(int(largeIncident*p.share()), p.Alerts)) }

// largeID is the id of that incident.
func (p *plan) largeID() monitor.ID {
	i := 0
	for p.alertsBefore(i+1) < p.largeSize() {
		i++
	}
	return id(p.random("incident", 0), p.at(i).Add(time.Minute))
}

// share is how this database compares with the full one.
func (p *plan) share() float64 { return float64(p.Alerts) / 200_000 }
