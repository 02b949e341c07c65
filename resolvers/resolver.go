// Package resolvers answers the fields of schema.graphqls, one file per noun. A
// resolver parses, calls a store, and returns; who may call it stands in the
// schema's @auth and is enforced by Guard before any resolver runs.
package resolvers

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Alerts keeps alerts. Changes are refused with CONFLICT, NOT_FOUND or BAD_INPUT
// and then leave everything as it was.
type Alerts interface {
	Alerts(ctx context.Context, filter *monitor.AlertFilter, order monitor.AlertOrder, args page.Args) (*monitor.AlertConnection, error)
	AlertsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Alert, error)
	// CountAlerts counts up to bound; more tells that there may be more.
	CountAlerts(ctx context.Context, filter *monitor.AlertFilter, bound int) (n int, more bool, err error)
	// The three as of an instant give CURSOR_EXPIRED where the journal is not kept so
	// long, and COST_LIMIT where too much has changed since.
	AlertsAsOf(ctx context.Context, at time.Time, filter *monitor.AlertFilter, order monitor.AlertOrder, args page.Args) (*monitor.AlertConnection, error)
	CountAlertsAsOf(ctx context.Context, at time.Time, filter *monitor.AlertFilter, bound int) (int, error)
	AlertAsOf(ctx context.Context, at time.Time, id monitor.ID) (*monitor.Alert, error)
	AlertGroups(ctx context.Context, filter *monitor.AlertFilter) ([]monitor.AlertGroup, error)
	UpdateAlert(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Alert, time.Time) error) (*monitor.Alert, error)
}

// Discussion keeps what belongs to an alert.
type Discussion interface {
	EvidenceOf(ctx context.Context, alert monitor.ID, args page.Args) (*monitor.EvidenceConnection, error)
	AlertMembers(ctx context.Context, alert monitor.ID, args page.Args) (*monitor.AlertMemberConnection, error)
	CommentsOf(ctx context.Context, alert monitor.ID, args page.Args) (*monitor.CommentConnection, error)
	Comment(ctx context.Context, id monitor.ID) (*monitor.Comment, bool, error)
	AddComment(ctx context.Context, actor monitor.Actor, c monitor.Comment) (*monitor.Comment, *monitor.Alert, error)
	JournalOf(ctx context.Context, kind monitor.Kind, id monitor.ID, args page.Args) (*page.Connection[monitor.Entry], error)
}

// Events keeps events.
type Events interface {
	Events(ctx context.Context, filter *monitor.EventFilter, order monitor.EventOrder, args page.Args) (*monitor.EventConnection, error)
	EventsByID(ctx context.Context, ids []monitor.EventID) ([]*monitor.Event, error)
	EventsOfBatch(ctx context.Context, batch monitor.ID) ([]*monitor.Event, error)
	HeldEvents(ctx context.Context, ids []monitor.EventID) (map[monitor.EventID]bool, error)
}

// Rules keeps rules.
type Rules interface {
	Rules(ctx context.Context, filter *monitor.RuleFilter, args page.Args) (*monitor.RuleConnection, error)
	RulesByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Rule, error)
	RulesAmong(ctx context.Context, filter *monitor.RuleFilter, ids []monitor.ID) ([]*monitor.Rule, error)
	CountRules(ctx context.Context, filter *monitor.RuleFilter, bound int) (int, error)
	SetRuleEnabled(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, enabled bool) (*monitor.Rule, error)
	CreateRule(ctx context.Context, actor monitor.Actor, rule *monitor.Rule) (*monitor.Rule, error)
	UpdateRule(ctx context.Context, actor monitor.Actor, expected *int, rule *monitor.Rule) (*monitor.Rule, error)
	RuleVersions(ctx context.Context, rule monitor.ID, args page.Args) (*monitor.RuleVersionConnection, error)
	RuleActivities(ctx context.Context, rules []monitor.ID) ([]*monitor.RuleActivity, error)
	TechniquesOfRules(ctx context.Context) ([]*monitor.RuleTechniques, error)
	AlertsByRule(ctx context.Context, since time.Time) (map[monitor.ID]int, error)
}

// RuleBench is the engine, for rules that are being written.
type RuleBench interface {
	// Parse reads a rule's YAML, or says what is wrong with it. With an id, the rule is
	// to be that one: a text that names another is wrong.
	Parse(source string, id *monitor.ID) (*monitor.Rule, *monitor.RuleProblem)
	// TryRecords lets a rule look at records as they come from shippers.
	TryRecords(source, records string) (*monitor.RuleTest, error)
	// TryEvents lets it look at stored events.
	TryEvents(source string, events func(yield func(*monitor.Event) bool) error) (*monitor.RuleTest, error)
	// Watch makes a function that lets a rule look at the records of stored events.
	Watch(source string) (func(raw []byte) *monitor.RuleTestResult, *monitor.RuleProblem)
	// Shown gives the named fields of a stored event's record that it has.
	Shown(raw []byte, names []string) []*monitor.ShownField
	// Health tells whether a rule looks at events on this replica, and if not why.
	Health(rule *monitor.Rule) (monitor.RuleHealth, string)
	// Quiet gives those of the rules that raise no alerts of their own.
	Quiet(rules []*monitor.RuleTechniques) map[monitor.ID]bool
	// Costs gives what rules cost, over all replicas that answer, the slowest first.
	Costs(ctx context.Context) []*monitor.RuleCost
	// FiredRules gives what rules said at those versions; those that are not stored are
	// left out.
	FiredRules(ctx context.Context, of []monitor.RuleAt) (map[monitor.RuleAt]*monitor.FiredRule, error)
	// Import stores files of an archive.
	Import(ctx context.Context, actor monitor.Actor, files []monitor.RuleFile, enable bool) (*monitor.RuleImport, error)
	// SetPlaceholder sets a list of values, or deletes it where it has none; then the
	// list is given as it was. CONFLICT where it is at another version than expected.
	SetPlaceholder(ctx context.Context, actor monitor.Actor, expected *int, list *monitor.Placeholder) (*monitor.Placeholder, error)
}

// Users keeps people.
type Users interface {
	Users(ctx context.Context, disabledToo bool, args page.Args) (*monitor.UserConnection, error)
	UsersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.User, error)
	UsersByName(ctx context.Context, names []string) ([]*monitor.User, error)
	UpdateUser(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.User)) (*monitor.User, error)
	RemoveSecondFactor(ctx context.Context, actor monitor.Actor, user monitor.ID) error
}

// Feed is the live journal of this replica.
type Feed interface {
	// Position is behind the newest entry that this replica has seen.
	Position() monitor.Position
	PositionOf(e monitor.Entry) monitor.Position
	// Subscribe begins behind after, or now, at the subscriber's own pace; a position
	// that cannot be continued without a gap gives CURSOR_EXPIRED.
	Subscribe(ctx context.Context, after *monitor.Position) (Stream, monitor.Position, error)
	// Pages gives what the transport hands to the subscription that runs in ctx. It
	// fails with BAD_INPUT where no transport of subscriptions does.
	Pages(ctx context.Context) (Pages, error)
}

// Stream gives journal entries in order, without a gap, up to limit at a time.
// It waits until there is one.
type Stream interface {
	Next(ctx context.Context, limit int) ([]monitor.Entry, error)
}

// Pages are the pages of the journal for one running subscription, in lockstep:
// each is answered before the next.
type Pages interface {
	// Next waits for a page; it fails when ctx ends.
	Next(ctx context.Context) (monitor.JournalPage, error)
	// Answer says how many messages the page became; they follow. Or why it could not.
	Answer(messages int, err error)
}

// Resolver is the root of all resolvers.
type Resolver struct {
	Alerts     Alerts
	Discussion Discussion
	Kin        AlertKin
	Merging    Merging
	Claims     Claims
	Assets     Assets
	Indicators Indicators
	Events     Events
	Archives   Archives
	Rules      Rules
	Bench      RuleBench
	Incidents  Incidents

	IncidentMoves    IncidentMoves
	IncidentReading  IncidentReading
	IncidentTasks    IncidentTasks
	IncidentComments IncidentComments
	Groupings        Groupings
	Suppressions     Suppressions
	Sources          Sources
	DeadLetters      DeadLetters
	Replays          Replays
	Mappings         Mappings
	Mapper           Mapper

	Webhooks    Webhooks
	Deliveries  Deliveries
	WebhookWork WebhookWork
	Channels    Channels
	ChannelWork ChannelWork

	Jobs  Jobs
	Users Users

	Aggregates Aggregates
	Exports    Exports

	SavedViews      SavedViews
	SavedOperations SavedOperations

	Sessions Sessions
	Tokens   Tokens

	Feed    Feed
	Running Consumers
	Journal Journal
	Audit   Audit
	Stored  Settings
	Setup   Setup
	Auth    *auth.Auth
	Version string // of the server
	Schema  *ast.Schema
	Shapes  Shapes
	// LoaderWait is how long a look-up waits for others to share its query; at least,
	// and unless told, a millisecond.
	LoaderWait time.Duration

	batches        batchCache
	watched        watchedTexts // rules that are being written and look at what comes in
	looking        liveTurns    // of these
	alertStates    stateCache[monitor.Alert]
	incidentStates stateCache[monitor.Incident]
}

// countBound is up to where totals are exact.
const countBound = 10_000

type (
	queryResolver        struct{ *Resolver }
	mutationResolver     struct{ *Resolver }
	subscriptionResolver struct{ *Resolver }
	viewerResolver       struct{ *Resolver }
)

// Query answers the fields of Query.
func (r *Resolver) Query() graph.QueryResolver { return queryResolver{r} }

// Mutation answers the fields of Mutation.
func (r *Resolver) Mutation() graph.MutationResolver { return mutationResolver{r} }

// Subscription answers the fields of Subscription.
func (r *Resolver) Subscription() graph.SubscriptionResolver { return subscriptionResolver{r} }

// Viewer answers the fields of Viewer.
func (r *Resolver) Viewer() graph.ViewerResolver { return viewerResolver{r} }

// Viewer says who asks.
func (queryResolver) Viewer(ctx context.Context) (*monitor.Viewer, error) {
	return monitor.ViewerFrom(ctx), nil
}

// ServerVersion gives the version of the server.
func (r viewerResolver) ServerVersion(context.Context, *monitor.Viewer) (string, error) {
	return r.Version, nil
}

// pageArgs checks the arguments of a list.
func pageArgs(first int, after *string) (page.Args, error) {
	args := page.Args{First: first}
	if after != nil {
		args.After = *after
	}
	if err := args.Check(); err != nil {
		return args, monitor.Errorf(monitor.CodeBadInput, "%v", err)
	}
	return args, nil
}

// optional gives nil for the zero value: what the schema calls null.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// optionalTime is optional for times, whose zero value has a method of its own.
func optionalTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// byGlobalID parses a global id of a kind and loads one entity; one that is not
// there is nil without an error.
func byGlobalID[T any](ctx context.Context, kind monitor.Kind, global string, load func(context.Context, []monitor.ID) ([]*T, error)) (*T, error) {
	id, err := monitor.ParseIDOf(kind, global)
	if err != nil {
		return nil, err
	}
	found, err := load(ctx, []monitor.ID{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}
