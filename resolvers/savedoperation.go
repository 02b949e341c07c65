package resolvers

import (
	"context"
	"encoding/json"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// SavedOperations keeps operations that people run again. What the reader does not
// see is NOT_FOUND.
type SavedOperations interface {
	SavedOperations(ctx context.Context, reader monitor.ID, kind *monitor.SavedOperationKind, args page.Args) (*monitor.SavedOperationConnection, error)
	SavedOperationsByID(ctx context.Context, reader monitor.ID, ids []monitor.ID) ([]*monitor.SavedOperation, error)
	CreateSavedOperation(ctx context.Context, actor monitor.Actor, o monitor.SavedOperation) (*monitor.SavedOperation, error)
	UpdateSavedOperation(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, change func(*monitor.SavedOperation) error) (*monitor.SavedOperation, error)
	DeleteSavedOperation(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, may func(*monitor.SavedOperation) error) error
}

// Shapes refuses a document by its size and form with COST_LIMIT: to validate one that
// has passed takes a bounded time.
type Shapes interface {
	Check(document string, variables map[string]any) error
}

type savedOperationResolver struct{ *Resolver }

// SavedOperation answers the fields of SavedOperation that are more than a value.
func (r *Resolver) SavedOperation() graph.SavedOperationResolver { return savedOperationResolver{r} }

func (savedOperationResolver) Owner(ctx context.Context, o *monitor.SavedOperation) (*monitor.User, error) {
	return loadUser(ctx, o.OwnerID)
}

func (savedOperationResolver) Variables(_ context.Context, o *monitor.SavedOperation) (monitor.RawJSON, error) {
	return monitor.RawJSON(o.Variables), nil
}

// SavedOperations lists what the viewer sees.
func (r queryResolver) SavedOperations(ctx context.Context, kind *monitor.SavedOperationKind, first int, after *string) (*monitor.SavedOperationConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.SavedOperations.SavedOperations(ctx, keeper(ctx), kind, args)
}

// SavedOperationCreate keeps an operation.
func (r mutationResolver) SavedOperationCreate(ctx context.Context, input model.SavedOperationCreateInput) (*model.SavedOperationPayload, error) {
	if err := mayShare(ctx, false, input.Shared); err != nil {
		return nil, err
	}
	o := monitor.SavedOperation{
		Saved: monitor.Saved{Name: input.Name, Description: input.Description, Shared: input.Shared, OwnerID: keeper(ctx)},
		Kind:  input.Kind, Document: input.Document, Variables: json.RawMessage(input.Variables),
	}
	if err := r.fits(&o); err != nil {
		return savedOperationPayload(nil, err)
	}
	return savedOperationPayload(r.Resolver.SavedOperations.CreateSavedOperation(ctx, monitor.ViewerFrom(ctx).Actor(), o))
}

// SavedOperationUpdate changes a saved operation.
func (r mutationResolver) SavedOperationUpdate(ctx context.Context, input model.SavedOperationUpdateInput) (*model.SavedOperationPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSavedOperation, input.ID)
	if err != nil {
		return savedOperationPayload(nil, err)
	}
	return savedOperationPayload(r.Resolver.SavedOperations.UpdateSavedOperation(ctx, monitor.ViewerFrom(ctx).Actor(), keeper(ctx), id, input.ExpectedVersion, func(o *monitor.SavedOperation) error {
		if err := maySave(ctx, &o.Saved); err != nil {
			return err
		}
		if input.Shared != nil {
			if err := mayShare(ctx, o.Shared, *input.Shared); err != nil {
				return err
			}
		}
		set(&o.Name, input.Name)
		set(&o.Description, input.Description)
		set(&o.Shared, input.Shared)
		set(&o.Kind, input.Kind)
		set(&o.Document, input.Document)
		if input.Variables != nil {
			o.Variables = json.RawMessage(*input.Variables)
		}
		return r.fits(o)
	}))
}

// SavedOperationDelete takes a saved operation away.
func (r mutationResolver) SavedOperationDelete(ctx context.Context, input model.SavedOperationDeleteInput) (*model.SavedOperationPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSavedOperation, input.ID)
	if err == nil {
		err = r.Resolver.SavedOperations.DeleteSavedOperation(ctx, monitor.ViewerFrom(ctx).Actor(), keeper(ctx), id, input.ExpectedVersion, func(o *monitor.SavedOperation) error { return maySave(ctx, &o.Saved) })
	}
	return savedOperationPayload(nil, err)
}

// fits gives BAD_INPUT where the operation would not run: it does not fit the
// schema, or is of another sort than its kind.
func (r *Resolver) fits(o *monitor.SavedOperation) error {
	if err := o.Check(); err != nil { // its size, before it is parsed
		return err
	}
	if err := r.Shapes.Check(o.Document, nil); err != nil {
		return err
	}
	document, errs := gqlparser.LoadQueryWithRules(r.Schema, o.Document, nil)
	if len(errs) > 0 {
		return monitor.InputErrorf("document", "the document does not fit the schema: %s", errs.Error())
	}
	if len(document.Operations) != 1 {
		return monitor.InputErrorf("document", "the document has %d operations, it takes one", len(document.Operations))
	}
	operation := document.Operations[0]
	if needs := map[monitor.SavedOperationKind]ast.Operation{monitor.SavedFeed: ast.Subscription, monitor.SavedTile: ast.Query}[o.Kind]; needs != "" && operation.Operation != needs {
		return monitor.InputErrorf("kind", "a %s is a %s, this is a %s", o.Kind, needs, operation.Operation)
	}
	var variables map[string]any
	if err := json.Unmarshal(o.Variables, &variables); err != nil {
		return monitor.InputErrorf("variables", "the variables are no JSON object")
	}
	if _, err := validator.VariableValues(r.Schema, operation, variables); err != nil {
		return monitor.InputErrorf("variables", "the variables do not fit: %v", err)
	}
	return nil
}

func savedOperationPayload(o *monitor.SavedOperation, err error) (*model.SavedOperationPayload, error) {
	mendable, err := userErrors(err)
	if len(mendable) > 0 {
		o = nil
	}
	return &model.SavedOperationPayload{Operation: o, Errors: mendable}, err
}
