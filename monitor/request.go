package monitor

import "context"

type requestKey struct{}

// WithRequestID puts the id of a request into the context: it stands in the log
// and in every error that the client gets.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID gives the id of the request, "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
