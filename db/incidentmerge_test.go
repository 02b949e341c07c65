package db_test

import (
	"fmt"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// A merge of more alerts than one transaction moves takes all of them, in several.
func TestMergeOfManyAlertsTakesAll(t *testing.T) {
	store := dbtest.New(t)
	const many = 1_200
	b := &monitor.Batch{}
	for i := range many {
		e := testEvent(i % 60)
		e.Host = fmt.Sprintf("host-%d", i)
		b.Events = append(b.Events, e)
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: testRule(1)})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	open := func(title, of string) *monitor.Incident {
		t.Helper()
		i, err := store.CreateIncident(t.Context(), monitor.SystemActor, monitor.Incident{Title: title, Severity: monitor.SeverityHigh, Status: monitor.IncidentOpen}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if of != "" {
			if i, err = store.AddMatchingAlerts(t.Context(), monitor.SystemActor, i.ID, nil, &monitor.AlertFilter{Host: &monitor.StringFilter{StartsWith: &of}}); err != nil {
				t.Fatal(err)
			}
		}
		return i
	}
	into, from := open("into", ""), open("from", "host-")
	if from.AlertCount != many {
		t.Fatalf("%d alerts in the incident", from.AlertCount)
	}
	merged, err := store.MergeIncidents(t.Context(), monitor.SystemActor, into.ID, nil, []monitor.ID{from.ID})
	if err != nil || merged.AlertCount != many {
		t.Fatalf("%+v %v", merged, err)
	}
	seen := map[monitor.ID]bool{}
	for after := ""; ; {
		found, err := store.AlertsOfIncident(t.Context(), into.ID, nil, page.Args{First: 500, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range found.Nodes() {
			seen[a.ID] = true
		}
		if !found.PageInfo.HasNextPage {
			break
		}
		after = *found.PageInfo.EndCursor
	}
	gone, err := store.IncidentsByID(t.Context(), []monitor.ID{from.ID})
	if err != nil || len(seen) != many || gone[0].AlertCount != 0 || gone[0].Status != monitor.IncidentClosed || gone[0].MergedIntoID != into.ID {
		t.Errorf("%d alerts are there, of the other is left %+v, %v", len(seen), gone, err)
	}
}
