package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// For each thing that two alerts can have in common the newest so many are looked at.
const kinCandidates = 50

// prevalenceBound is how many alerts of a rule are counted, the newest first.
const prevalenceBound = 10_000

// SimilarAlerts gives for each alert the alerts that have most in common with it,
// in the order of the given ones. All of them take one query.
func (s *Store) SimilarAlerts(ctx context.Context, alerts []*monitor.Alert) ([][]monitor.SimilarAlert, error) {
	out := make([][]monitor.SimilarAlert, len(alerts))
	var all *goqu.SelectDataset
	for i, a := range alerts {
		for _, same := range kinTests(a) {
			newest := dialect.From("alerts").Select("id").Where(same, goqu.C("id").Neq(a.ID[:])).
				Order(goqu.C("last_seen").Desc(), goqu.C("id").Desc()).Limit(kinCandidates)
			all = unionAll(all, dialect.From(newest.As("k")).Select(goqu.V(i).As("of"), goqu.I("k.id").As("id")))
		}
	}
	if all == nil {
		return out, nil
	}
	columns := []any{goqu.I("c.of")}
	for _, name := range alertColumns {
		columns = append(columns, goqu.I("a."+name))
	}
	st := dialect.From(dialect.From(all.As("u")).Select("of", "id").Distinct().As("c")).
		Join(goqu.T("alerts").As("a"), goqu.On(goqu.I("a.id").Eq(goqu.I("c.id")))).Select(columns...)
	type candidate struct {
		of    int
		alert *monitor.Alert
	}
	found, err := query(ctx, s.db, st, func(r scanner) (c candidate, err error) {
		c.alert, err = scanAlert(behind{r, &c.of})
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("find similar alerts: %w", err)
	}
	for _, c := range found {
		out[c.of] = append(out[c.of], alerts[c.of].Likeness(c.alert))
	}
	for _, similar := range out {
		slices.SortFunc(similar, monitor.MoreSimilar)
	}
	return out, nil
}

// kinTests are the conditions under which an alert may be similar; each has an index.
func kinTests(a *monitor.Alert) []goqu.Expression {
	tests := []goqu.Expression{goqu.C("rule_id").Eq(a.RuleID[:])}
	if a.Host != "" {
		tests = append(tests, goqu.C("host").Eq(a.Host))
	}
	if a.User != "" {
		tests = append(tests, goqu.C("user").Eq(a.User))
	}
	if a.SrcIP.IsValid() {
		tests = append(tests, goqu.C("src_ip").Eq(ipBytes(a.SrcIP)))
	}
	return tests
}

func unionAll(all, next *goqu.SelectDataset) *goqu.SelectDataset {
	if all == nil {
		return next
	}
	return all.UnionAll(next)
}

// behind scans a row whose first columns are read apart.
type behind struct {
	scanner
	first any
}

// Scan reads the first column, then the others.
func (b behind) Scan(dest ...any) error { return b.scanner.Scan(append([]any{b.first}, dest...)...) }

// Prevalence counts, for each rule and host, the alerts of the rule since then.
// All of them take one query.
func (s *Store) Prevalence(ctx context.Context, keys []monitor.PrevalenceKey, since time.Time) (map[monitor.PrevalenceKey]monitor.Prevalence, error) {
	var all *goqu.SelectDataset
	for i, key := range keys {
		newest := dialect.From("alerts").Select("host", "user", "status", "disposition").
			Where(goqu.C("rule_id").Eq(append([]byte(nil), key.Rule[:]...)), goqu.C("last_seen").Gte(since)).
			Order(goqu.C("last_seen").Desc()).Limit(prevalenceBound)
		all = unionAll(all, dialect.From(newest.As("n")).Select(goqu.V(i), goqu.COUNT(goqu.Star()),
			goqu.COUNT(goqu.DISTINCT("n.host")), goqu.COUNT(goqu.DISTINCT("n.user")), countIf(goqu.I("n.host").Eq(key.Host)),
			countIf(goqu.I("n.status").Eq(string(monitor.AlertClosed))), countIf(goqu.I("n.disposition").Eq(string(monitor.FalsePositive)))))
	}
	out := make(map[monitor.PrevalenceKey]monitor.Prevalence, len(keys))
	if all == nil {
		return out, nil
	}
	_, err := query(ctx, s.db, all, func(r scanner) (struct{}, error) {
		var i int
		var p monitor.Prevalence
		err := r.Scan(&i, &p.Alerts, &p.Hosts, &p.Users, &p.OnHost, &p.Closed, &p.FalsePositives)
		p.IsEstimate = p.Alerts == prevalenceBound
		if err == nil {
			out[keys[i]] = p
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts of %d rules: %w", len(keys), err)
	}
	return out, nil
}

func countIf(test goqu.Expression) goqu.Expression {
	return goqu.COUNT(goqu.Case().When(test, 1))
}
