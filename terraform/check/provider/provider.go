package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// provider plans what the schema alone tells: an argument is what the
// configuration says, everything else is known after apply.
type provider struct {
	schema *schema
	// madeUpIDs gives new resources an id and an ARN at once, so that policies see
	// what refers to what. A real plan knows neither: that of the checks without
	// policies is made without them, and fails where a count depends on one.
	madeUpIDs   bool
	region      string
	defaultTags map[string]tftypes.Value
}

func (p *provider) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	r := &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{}}
	for name := range p.schema.resources {
		r.Resources = append(r.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range p.schema.data {
		r.DataSources = append(r.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	for name := range p.schema.ephemeral {
		r.EphemeralResources = append(r.EphemeralResources, tfprotov6.EphemeralResourceMetadata{TypeName: name})
	}
	return r, nil
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		Provider:                 p.schema.provider,
		ResourceSchemas:          p.schema.resources,
		DataSourceSchemas:        p.schema.data,
		EphemeralResourceSchemas: p.schema.ephemeral,
	}, nil
}

func (p *provider) ValidateProviderConfig(_ context.Context, r *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: r.Config}, nil
}

// ConfigureProvider keeps the region and the default tags.
func (p *provider) ConfigureProvider(_ context.Context, r *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	config, err := object(r.Config, p.schema.provider)
	if err != nil {
		return nil, err
	}
	if v := config["region"]; v.IsKnown() && !v.IsNull() {
		if err := v.As(&p.region); err != nil {
			return nil, err
		}
	}
	p.defaultTags = map[string]tftypes.Value{}
	var blocks []tftypes.Value
	if v := config["default_tags"]; v.IsKnown() && !v.IsNull() {
		if err := v.As(&blocks); err != nil {
			return nil, err
		}
	}
	for _, b := range blocks {
		var inner map[string]tftypes.Value
		if err := b.As(&inner); err != nil {
			return nil, err
		}
		if tags := inner["tags"]; tags.IsKnown() && !tags.IsNull() {
			if err := tags.As(&p.defaultTags); err != nil {
				return nil, err
			}
		}
	}
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func (p *provider) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil // Terraform has checked it against the schema
}

func (p *provider) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (p *provider) ValidateEphemeralResourceConfig(context.Context, *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{}, nil
}

// PlanResourceChange answers with what Terraform proposes: what the configuration
// says, and unknown for what is computed. Arguments that are only written are
// never part of a plan; the tags are joined with the provider's, as AWS's does.
func (p *provider) PlanResourceChange(_ context.Context, r *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	s := p.schema.resources[r.TypeName]
	if null, err := r.ProposedNewState.IsNull(); err != nil || null {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: r.ProposedNewState}, err
	}
	planned, err := object(r.ProposedNewState, s)
	if err != nil {
		return nil, err
	}
	if p.madeUpIDs {
		nameIDs(r.TypeName, planned)
	}
	if err := laterKnown(s.Block, planned); err != nil {
		return nil, err
	}
	if err := p.joinTags(planned); err != nil {
		return nil, err
	}
	state, err := dynamic(planned, s)
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: state}, err
}

// nameIDs makes id, ARN and address from the type and what the configuration calls it.
func nameIDs(typeName string, planned map[string]tftypes.Value) {
	for _, from := range []string{"name", "name_prefix", "identifier", "bucket", "bucket_prefix", "cidr_block", "replication_group_id", "description"} {
		v, has := planned[from]
		if !has || v.IsNull() || !v.IsKnown() {
			continue
		}
		var called string
		if v.As(&called) != nil || called == "" {
			continue
		}
		for to, value := range map[string]string{
			"id": typeName + ":" + called, "arn": typeName + ":" + called, "primary_endpoint_address": called + ".made-up.example.org",
		} {
			if v, has := planned[to]; has && v.IsNull() {
				planned[to] = text(value)
			}
		}
		return
	}
}

// laterKnown marks what the provider fills in when it applies, in a block and
// those within it, and leaves out what is only written.
func laterKnown(block *tfprotov6.SchemaBlock, planned map[string]tftypes.Value) error {
	for _, a := range block.Attributes {
		switch {
		case a.WriteOnly:
			planned[a.Name] = tftypes.NewValue(a.ValueType(), nil)
		case a.Computed && planned[a.Name].IsNull():
			planned[a.Name] = tftypes.NewValue(a.ValueType(), tftypes.UnknownValue)
		}
	}
	for _, b := range block.BlockTypes {
		value := planned[b.TypeName]
		if value.IsNull() || !value.IsKnown() {
			continue
		}
		single := b.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle
		items := []tftypes.Value{value}
		if !single {
			if err := value.As(&items); err != nil {
				return err
			}
		}
		for i, item := range items {
			var inner map[string]tftypes.Value
			if err := item.As(&inner); err != nil {
				return err
			}
			if err := laterKnown(b.Block, inner); err != nil {
				return err
			}
			items[i] = tftypes.NewValue(item.Type(), inner)
		}
		if single {
			planned[b.TypeName] = items[0]
		} else {
			planned[b.TypeName] = tftypes.NewValue(value.Type(), items)
		}
	}
	return nil
}

func (p *provider) joinTags(planned map[string]tftypes.Value) error {
	all, has := planned["tags_all"]
	if !has || !planned["tags"].IsKnown() {
		return nil
	}
	joined := map[string]tftypes.Value{}
	for k, v := range p.defaultTags {
		joined[k] = v
	}
	if !planned["tags"].IsNull() {
		var tags map[string]tftypes.Value
		if err := planned["tags"].As(&tags); err != nil {
			return err
		}
		for k, v := range tags {
			joined[k] = v
		}
	}
	planned["tags_all"] = tftypes.NewValue(all.Type(), joined)
	return nil
}

// ReadDataSource fills in what a data source computes: made-up but well-formed
// values, since the policies look at what is made of them.
func (p *provider) ReadDataSource(_ context.Context, r *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	s := p.schema.data[r.TypeName]
	config, err := object(r.Config, s)
	if err != nil {
		return nil, err
	}
	known := p.answers(r.TypeName)
	for _, a := range s.Block.Attributes {
		if !a.Computed || !config[a.Name].IsNull() {
			continue
		}
		if v, has := known[a.Name]; has {
			config[a.Name] = v
		} else {
			config[a.Name] = madeUp(a.Name, a.Type)
		}
	}
	state, err := dynamic(config, s)
	return &tfprotov6.ReadDataSourceResponse{State: state}, err
}

func (p *provider) OpenEphemeralResource(_ context.Context, r *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	s := p.schema.ephemeral[r.TypeName]
	config, err := object(r.Config, s)
	if err != nil {
		return nil, err
	}
	for _, a := range s.Block.Attributes {
		if a.Computed && config[a.Name].IsNull() {
			config[a.Name] = madeUp(a.Name, a.Type)
		}
	}
	result, err := dynamic(config, s)
	return &tfprotov6.OpenEphemeralResourceResponse{Result: result}, err
}

func (p *provider) RenewEphemeralResource(context.Context, *tfprotov6.RenewEphemeralResourceRequest) (*tfprotov6.RenewEphemeralResourceResponse, error) {
	return &tfprotov6.RenewEphemeralResourceResponse{}, nil
}

func (p *provider) CloseEphemeralResource(context.Context, *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return &tfprotov6.CloseEphemeralResourceResponse{}, nil
}

// UpgradeResourceState takes a state as it is, so that a plan can be made on top of one
// that the checks wrote (moved.tsv).
func (p *provider) UpgradeResourceState(_ context.Context, r *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	t := p.schema.resources[r.TypeName].ValueType()
	value, err := r.RawState.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(t, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

// refusal is the answer to everything that would need an account.
var refusal = []*tfprotov6.Diagnostic{{
	Severity: tfprotov6.DiagnosticSeverityError,
	Summary:  "this provider only checks configuration",
	Detail:   "It stands in for hashicorp/aws in the checks of terraform/check and neither reads nor changes anything.",
}}

func (p *provider) ApplyResourceChange(context.Context, *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return &tfprotov6.ApplyResourceChangeResponse{Diagnostics: refusal}, nil
}

func (p *provider) ReadResource(context.Context, *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{Diagnostics: refusal}, nil
}

func (p *provider) ImportResourceState(context.Context, *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return &tfprotov6.ImportResourceStateResponse{Diagnostics: refusal}, nil
}

func (p *provider) MoveResourceState(context.Context, *tfprotov6.MoveResourceStateRequest) (*tfprotov6.MoveResourceStateResponse, error) {
	return &tfprotov6.MoveResourceStateResponse{Diagnostics: refusal}, nil
}

func (p *provider) GetFunctions(context.Context, *tfprotov6.GetFunctionsRequest) (*tfprotov6.GetFunctionsResponse, error) {
	return &tfprotov6.GetFunctionsResponse{}, nil
}

func (p *provider) CallFunction(context.Context, *tfprotov6.CallFunctionRequest) (*tfprotov6.CallFunctionResponse, error) {
	return &tfprotov6.CallFunctionResponse{Error: &tfprotov6.FunctionError{Text: refusal[0].Summary}}, nil
}

func object(v *tfprotov6.DynamicValue, s *tfprotov6.Schema) (map[string]tftypes.Value, error) {
	value, err := v.Unmarshal(s.ValueType())
	if err != nil {
		return nil, err
	}
	var result map[string]tftypes.Value
	return result, value.As(&result)
}

func dynamic(v map[string]tftypes.Value, s *tfprotov6.Schema) (*tfprotov6.DynamicValue, error) {
	t := s.ValueType()
	result, err := tfprotov6.NewDynamicValue(t, tftypes.NewValue(t, v))
	return &result, err
}
