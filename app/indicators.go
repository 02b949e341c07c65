package app

import (
	"bufio"
	"context"
	"io"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/intel"
	"github.com/security-monitor/secmon/monitor"
)

const (
	// indicatorPage is how many indicators are loaded at once: so long does ingest wait
	// for a change.
	indicatorPage = 1_000
	// indicatorBatch is how many indicators one transaction of an import stores.
	indicatorBatch = 2_000
)

// loadIndicators puts all indicators in force that are or will be valid.
func (a *App) loadIndicators(ctx context.Context) error {
	begun := time.Now()
	kinds, err := a.Store.CountIndicatorKinds(ctx)
	if err != nil {
		return err
	}
	fresh := &intel.Matcher{}
	fresh.Reserve(kinds)
	err = pageIndicators(func(behind monitor.ID) ([]*monitor.Indicator, error) {
		return a.Store.IndicatorsInForce(ctx, behind, indicatorPage)
	}, fresh.Put)
	if err != nil {
		return err
	}
	a.indicators.Adopt(fresh)
	a.lg.Info("indicators in force", "indicators", a.indicators.Len(), "took", time.Since(begun).Round(time.Millisecond))
	return nil
}

// followIndicators takes in what journal entries tell to have changed, and no more.
func (a *App) followIndicators(ctx context.Context, entries []monitor.Entry) error {
	var single, gone []monitor.ID
	for _, e := range entries {
		for _, c := range e.Body.Changes {
			switch {
			case c.Kind == monitor.KindIndicatorImport:
				if err := a.followImport(ctx, c.ID); err != nil {
					return err
				}
			case c.Kind == monitor.KindIndicator:
				single = append(single, c.ID)
			}
		}
	}
	if len(single) == 0 {
		return nil
	}
	found, err := a.Store.IndicatorsByID(ctx, single)
	if err != nil {
		return err
	}
	a.indicators.Put(found)
	there := make(map[monitor.ID]bool, len(found))
	for _, i := range found {
		there[i.ID] = true
	}
	for _, id := range single {
		if !there[id] {
			gone = append(gone, id)
		}
	}
	if len(gone) > 0 {
		a.indicators.Forget(gone)
	}
	return nil
}

// followImport loads what one transaction of an import wrote. What another has
// written since is told by a later entry.
func (a *App) followImport(ctx context.Context, change monitor.ID) error {
	return pageIndicators(func(behind monitor.ID) ([]*monitor.Indicator, error) {
		return a.Store.IndicatorsOfChange(ctx, change, behind, indicatorPage)
	}, a.indicators.Put)
}

func pageIndicators(load func(behind monitor.ID) ([]*monitor.Indicator, error), take func([]*monitor.Indicator)) error {
	var behind monitor.ID
	for {
		found, err := load(behind)
		if err != nil {
			return err
		}
		take(found)
		if len(found) < indicatorPage {
			return nil
		}
		behind = found[len(found)-1].ID
	}
}

// ImportIndicators reads a list to its end and stores what it has, a few thousand in a
// transaction. What was stored before an error stays, and is reported with it: the
// same list can be imported again. Without a format the list tells it.
func ImportIndicators(ctx context.Context, store *db.Store, actor monitor.Actor, of monitor.IndicatorList, r io.Reader) (*monitor.IndicatorReport, error) {
	if of.Format == "" {
		head := bufio.NewReader(r)
		of.Format, r = string(intel.FormatOf(head)), head
	}
	in := &indicatorImport{ctx: ctx, store: store, actor: actor, of: of, report: &monitor.IndicatorReport{Problems: []*monitor.IndicatorProblem{}}}
	err := intel.Read(intel.Format(of.Format), r, intel.Options{
		Source: of.Source, Severity: of.Severity, Confidence: of.Confidence, ValidFor: of.ValidFor, Subdomains: of.Subdomains, Tags: of.Tags,
		Columns: of.Columns, First: of.First, Now: time.Now().UTC(),
	}, in)
	if err == nil {
		err = in.flush()
	}
	return in.report, err
}

// indicatorImport gathers what is read into transactions.
type indicatorImport struct {
	ctx    context.Context //nolint:containedctx // of one call, which the reader does not know
	store  *db.Store
	actor  monitor.Actor
	of     monitor.IndicatorList
	report *monitor.IndicatorReport
	held   []*monitor.Indicator
}

// Take stores what was taken when it is many.
func (in *indicatorImport) Take(i *monitor.Indicator) error {
	in.report.Read++
	if in.held = append(in.held, i); len(in.held) < indicatorBatch {
		return nil
	}
	return in.flush()
}

// Refuse notes what is no indicator.
func (in *indicatorImport) Refuse(p intel.Problem) {
	if in.report.Refused++; len(in.report.Problems) < monitor.MaxIndicatorProblems {
		in.report.Problems = append(in.report.Problems, &monitor.IndicatorProblem{Position: p.Position, ObjectID: p.ID, Message: p.Message})
	}
}

func (in *indicatorImport) flush() error {
	if len(in.held) == 0 {
		return nil
	}
	of := monitor.IndicatorImport{Format: in.of.Format, Source: in.of.Source, Name: in.of.Name, Revive: in.of.Revive}
	done, err := in.store.ImportIndicators(in.ctx, in.actor, of, in.held)
	if err != nil {
		return err
	}
	in.report.Added += done.Added
	in.report.Updated += done.Updated
	in.report.Unchanged += done.Unchanged
	in.report.Revoked += done.Revoked
	in.held = in.held[:0]
	return nil
}

// indicators are kept by the store; lists of them are read by the server.
type indicators struct{ *db.Store }

// Import stores a list.
func (s indicators) Import(ctx context.Context, actor monitor.Actor, of monitor.IndicatorList, r io.Reader) (*monitor.IndicatorReport, error) {
	return ImportIndicators(ctx, s.Store, actor, of, r)
}
