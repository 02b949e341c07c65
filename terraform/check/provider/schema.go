package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// schema is what a provider offers; the fields are those of schema.json.
type schema struct {
	provider  *tfprotov6.Schema
	resources map[string]*tfprotov6.Schema
	data      map[string]*tfprotov6.Schema
	ephemeral map[string]*tfprotov6.Schema
}

type file struct {
	Provider  block
	Resources map[string]block
	Data      map[string]block
}

type block struct {
	Attributes map[string]attribute
	Blocks     map[string]nestedBlock
}

type nestedBlock struct {
	Nesting  string
	Min, Max int64
	Block    block
}

type attribute struct {
	Type      json.RawMessage
	Nested    *nestedAttribute
	Required  bool
	Optional  bool
	Computed  bool
	WriteOnly bool `json:"write_only"`
}

type nestedAttribute struct {
	Nesting    string
	Attributes map[string]attribute
}

// ephemeral resources are not in the package that schema.json is made of; these
// two are written by hand after the provider's documentation.
var ephemeral = map[string]block{
	"aws_secretsmanager_random_password": {Attributes: map[string]attribute{
		"exclude_characters":         {Type: []byte(`"string"`), Optional: true},
		"exclude_lowercase":          {Type: []byte(`"bool"`), Optional: true},
		"exclude_numbers":            {Type: []byte(`"bool"`), Optional: true},
		"exclude_punctuation":        {Type: []byte(`"bool"`), Optional: true},
		"exclude_uppercase":          {Type: []byte(`"bool"`), Optional: true},
		"include_space":              {Type: []byte(`"bool"`), Optional: true},
		"password_length":            {Type: []byte(`"number"`), Optional: true},
		"random_password":            {Type: []byte(`"string"`), Computed: true},
		"region":                     {Type: []byte(`"string"`), Optional: true, Computed: true},
		"require_each_included_type": {Type: []byte(`"bool"`), Optional: true},
	}},
	"aws_secretsmanager_secret_version": {Attributes: map[string]attribute{
		"arn":            {Type: []byte(`"string"`), Computed: true},
		"created_date":   {Type: []byte(`"string"`), Computed: true},
		"region":         {Type: []byte(`"string"`), Optional: true, Computed: true},
		"secret_binary":  {Type: []byte(`"string"`), Computed: true},
		"secret_id":      {Type: []byte(`"string"`), Required: true},
		"secret_string":  {Type: []byte(`"string"`), Computed: true},
		"version_id":     {Type: []byte(`"string"`), Optional: true, Computed: true},
		"version_stage":  {Type: []byte(`"string"`), Optional: true, Computed: true},
		"version_stages": {Type: []byte(`["list","string"]`), Computed: true},
	}},
}

func load(path string) (*schema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	s := &schema{}
	if s.provider, err = f.Provider.schema(); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	for to, from := range map[*map[string]*tfprotov6.Schema]map[string]block{
		&s.resources: f.Resources, &s.data: f.Data, &s.ephemeral: ephemeral,
	} {
		*to = map[string]*tfprotov6.Schema{}
		for name, b := range from {
			if (*to)[name], err = b.schema(); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return s, nil
}

func (b block) schema() (*tfprotov6.Schema, error) {
	inner, err := b.proto()
	return &tfprotov6.Schema{Block: inner}, err
}

func (b block) proto() (*tfprotov6.SchemaBlock, error) {
	attributes, err := protoAttributes(b.Attributes)
	if err != nil {
		return nil, err
	}
	result := &tfprotov6.SchemaBlock{Attributes: attributes}
	for _, name := range slices.Sorted(maps.Keys(b.Blocks)) {
		nested := b.Blocks[name]
		inner, err := nested.Block.proto()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		nesting := map[string]tfprotov6.SchemaNestedBlockNestingMode{
			"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
			"list":   tfprotov6.SchemaNestedBlockNestingModeList,
			"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
		}[nested.Nesting]
		result.BlockTypes = append(result.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name, Block: inner, Nesting: nesting, MinItems: nested.Min, MaxItems: nested.Max,
		})
	}
	return result, nil
}

func protoAttributes(from map[string]attribute) ([]*tfprotov6.SchemaAttribute, error) {
	var result []*tfprotov6.SchemaAttribute
	for _, name := range slices.Sorted(maps.Keys(from)) {
		a := from[name]
		to := &tfprotov6.SchemaAttribute{Name: name, Required: a.Required, Optional: a.Optional, Computed: a.Computed, WriteOnly: a.WriteOnly}
		if a.Nested == nil {
			t, err := tftypes.ParseJSONType(a.Type) //nolint:staticcheck // the only parser there is
			if err != nil {
				return nil, fmt.Errorf("type of %s: %w", name, err)
			}
			to.Type = t
		} else {
			inner, err := protoAttributes(a.Nested.Attributes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			to.NestedType = &tfprotov6.SchemaObject{Attributes: inner, Nesting: map[string]tfprotov6.SchemaObjectNestingMode{
				"single": tfprotov6.SchemaObjectNestingModeSingle,
				"list":   tfprotov6.SchemaObjectNestingModeList,
				"set":    tfprotov6.SchemaObjectNestingModeSet,
				"map":    tfprotov6.SchemaObjectNestingModeMap,
			}[a.Nested.Nesting]}
		}
		result = append(result, to)
	}
	return result, nil
}
