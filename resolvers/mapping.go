package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Mappings keeps how records are read that no normaliser knows. Changes are refused as
// those of Alerts are.
type Mappings interface {
	Mappings(ctx context.Context, args page.Args) (*monitor.MappingConnection, error)
	MappingsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Mapping, error)
	// CreateMapping takes the mapping's id from its maker: its secret is sealed for that.
	CreateMapping(ctx context.Context, actor monitor.Actor, made monitor.Mapping) (*monitor.Mapping, error)
	UpdateMapping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Mapping) error) (*monitor.Mapping, error)
	DeleteMapping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Mapping, error)
}

// Mapper tells what mappings make of records.
type Mapper interface {
	// Seal encrypts a secret of the mapping with that id.
	Seal(of monitor.ID, secret string) ([]byte, error)
	Preview(of *monitor.Mapping, raw []byte) *monitor.MappingPreview
	// Shapes groups events of unknown shape, given latest first.
	Shapes(events []*monitor.Event) []*monitor.UnknownShape
}

const (
	maxMappingSecret = 256 // bytes
	shapeEvents      = 500 // that are looked at for unknown shapes
)

// Mappings lists mappings.
func (r queryResolver) Mappings(ctx context.Context, first int, after *string) (*monitor.MappingConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Mappings.Mappings(ctx, args)
}

// Mapping gives one mapping.
func (r queryResolver) Mapping(ctx context.Context, id string) (*monitor.Mapping, error) {
	return byGlobalID(ctx, monitor.KindMapping, id, r.Resolver.Mappings.MappingsByID)
}

// UnknownShapes lists what no normaliser knows.
func (r queryResolver) UnknownShapes(ctx context.Context) ([]*monitor.UnknownShape, error) {
	generic := "generic"
	filter := &monitor.EventFilter{Format: &monitor.StringFilter{Eq: &generic}}
	found, err := r.Resolver.Events.Events(ctx, filter, monitor.EventsByReceived, page.Args{First: shapeEvents})
	if err != nil {
		return nil, err
	}
	return r.Mapper.Shapes(found.Nodes()), nil
}

// MappingPreview tells what a mapping would make of records.
func (r queryResolver) MappingPreview(_ context.Context, rules model.MappingRulesInput, samples []string) ([]*monitor.MappingPreview, error) {
	if len(samples) > monitor.MaxMappingSamples {
		return nil, monitor.InputErrorf("samples", "at most %d, not %d", monitor.MaxMappingSamples, len(samples))
	}
	would := &monitor.Mapping{Name: "preview", MappingRules: mappingRules(rules)}
	if err := would.Check(); err != nil {
		return nil, err
	}
	out := make([]*monitor.MappingPreview, len(samples))
	for i, sample := range samples {
		out[i] = r.Mapper.Preview(would, []byte(sample))
	}
	return out, nil
}

// MappingCreate makes a mapping.
func (r mutationResolver) MappingCreate(ctx context.Context, input model.MappingCreateInput) (*model.MappingPayload, error) {
	made := monitor.Mapping{ID: monitor.NewID(time.Now()), Name: input.Name, Enabled: input.Enabled, MappingRules: mappingRules(input.Rules), SignatureHeader: input.SignatureHeader}
	if err := r.sign(&made, input.Secret); err != nil {
		return mappingPayload(nil, err)
	}
	return mappingPayload(r.Resolver.Mappings.CreateMapping(ctx, monitor.ViewerFrom(ctx).Actor(), made))
}

// MappingUpdate changes a mapping.
func (r mutationResolver) MappingUpdate(ctx context.Context, input model.MappingUpdateInput) (*model.MappingPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindMapping, input.ID)
	if err != nil {
		return mappingPayload(nil, err)
	}
	return mappingPayload(r.Resolver.Mappings.UpdateMapping(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, func(m *monitor.Mapping) error {
		applyTo(&m.Name, input.Name)
		applyTo(&m.Enabled, input.Enabled)
		applyTo(&m.SignatureHeader, input.SignatureHeader)
		if input.Rules != nil {
			m.MappingRules = mappingRules(*input.Rules)
		}
		return r.sign(m, input.Secret)
	}))
}

// MappingDelete takes a mapping away.
func (r mutationResolver) MappingDelete(ctx context.Context, input model.MappingDeleteInput) (*model.MappingPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindMapping, input.ID)
	if err != nil {
		return mappingPayload(nil, err)
	}
	return mappingPayload(r.Resolver.Mappings.DeleteMapping(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion))
}

// sign seals a mapping's secret. A header that nobody can check, and a secret that
// nobody sends, are refused: a webhook would look as if it were guarded.
func (r *Resolver) sign(m *monitor.Mapping, secret *string) (err error) {
	switch {
	case secret != nil && (*secret == "" || len(*secret) > maxMappingSecret):
		return monitor.InputErrorf("secret", "1 to %d bytes", maxMappingSecret)
	case secret != nil && m.SignatureHeader == "":
		return monitor.InputErrorf("signatureHeader", "say in which header the signature stands")
	case secret != nil:
		m.Secret, err = r.Mapper.Seal(m.ID, *secret)
		return err
	case m.SignatureHeader != "" && len(m.Secret) == 0:
		return monitor.InputErrorf("secret", "say what the webhook's requests are signed with")
	}
	return nil
}

func mappingPayload(m *monitor.Mapping, err error) (*model.MappingPayload, error) {
	mendable, err := userErrors(err)
	return &model.MappingPayload{Mapping: m, Errors: mendable}, err
}

func mappingRules(in model.MappingRulesInput) monitor.MappingRules {
	out := monitor.MappingRules{LogSource: monitor.LogSource{Product: in.Product, Category: in.Category, Service: in.Service}}
	if in.Class != nil {
		out.Class = *in.Class
	}
	for _, t := range in.Tests {
		out.Tests = append(out.Tests, monitor.MappingTest{Path: t.Path, Equals: t.Equals})
	}
	for _, f := range in.Fields {
		out.Fields = append(out.Fields, monitor.MappingField{Target: f.Target, Path: f.Path, Required: f.Required})
	}
	for _, s := range in.Severities {
		out.Severities = append(out.Severities, monitor.MappingSeverity{Value: s.Value, Severity: s.Severity})
	}
	for _, n := range in.Renames {
		out.Renames = append(out.Renames, monitor.MappingRename{From: n.From, To: n.To})
	}
	return out
}

type mappingResolver struct{ *Resolver }

// Mapping answers the fields of Mapping that are more than a value.
func (r *Resolver) Mapping() graph.MappingResolver { return mappingResolver{r} }

func (mappingResolver) Tests(_ context.Context, m *monitor.Mapping) ([]*monitor.MappingTest, error) {
	return pointers(m.Tests), nil
}

func (mappingResolver) Product(_ context.Context, m *monitor.Mapping) (string, error) {
	return m.LogSource.Product, nil
}

func (mappingResolver) Category(_ context.Context, m *monitor.Mapping) (string, error) {
	return m.LogSource.Category, nil
}

func (mappingResolver) Service(_ context.Context, m *monitor.Mapping) (string, error) {
	return m.LogSource.Service, nil
}

func (mappingResolver) Class(_ context.Context, m *monitor.Mapping) (*monitor.EventClass, error) {
	return optional(m.Class), nil
}

func (mappingResolver) Fields(_ context.Context, m *monitor.Mapping) ([]*monitor.MappingField, error) {
	return pointers(m.Fields), nil
}

func (mappingResolver) Severities(_ context.Context, m *monitor.Mapping) ([]*monitor.MappingSeverity, error) {
	return pointers(m.Severities), nil
}

func (mappingResolver) Renames(_ context.Context, m *monitor.Mapping) ([]*monitor.MappingRename, error) {
	return pointers(m.Renames), nil
}

func (mappingResolver) WebhookPath(_ context.Context, m *monitor.Mapping) (string, error) {
	return monitor.WebhookPath + m.Name, nil
}

func (r mappingResolver) Journal(ctx context.Context, m *monitor.Mapping, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindMapping, m.ID, first, after)
}
