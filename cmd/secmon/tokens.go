package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

// tokensCommand asks a server; tokenCommand works on the database itself.
type tokensCommand struct {
	List   tokensListCommand   `cmd:"" help:"List API tokens that live: yours, and for administrators everybody's."`
	Create tokensCreateCommand `cmd:"" help:"Make an API token and print it; it is shown only this once."`
	Revoke tokensRevokeCommand `cmd:"" help:"End API tokens at once, with all that they have open."`
}

type tokensListCommand struct {
	connection `embed:""`
	pageFlags  `embed:""`
	outputFlag `embed:""`
}

var tokenList = listing{
	`query($first: Int!, $after: String) { list: tokens(first: $first, after: $after) {
		nodes { id name scopes owner { name } createdAt expiresAt lastUsedAt } pageInfo { hasNextPage endCursor } } }`,
	[]table.Column{{Title: "NAME", Wide: true}, {Title: "SCOPES"}, {Title: "OWNER"}, {Title: "EXPIRES"}, {Title: "LAST USED"}, {Title: "ID"}},
	[]string{"name", "scopes", "owner.name", "expiresAt", "lastUsedAt", "id"},
}

// Run prints the list; secrets are not kept anywhere.
func (c *tokensListCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return tokenList.run(ctx, r, nil, c.pageFlags, c.Output)
}

type tokensCreateCommand struct {
	connection `embed:""`
	Name       string          `env:"-" required:"" help:"What the token is for." placeholder:"TEXT"`
	Scope      []monitor.Scope `env:"-" required:"" help:"ingest, read, write, admin; may be given several times." enum:"ingest,read,write,admin"`
	Expires    time.Duration   `env:"-" default:"720h" help:"How long it is valid: at most 366 days."`
}

// Run makes the token. Only the token goes to standard output.
func (c *tokensCreateCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	secret, _, err := r.createToken(ctx, c.Name, c.Expires, c.Scope...)
	if err != nil {
		return err
	}
	_, err = fmt.Println(secret)
	return err
}

func (r *remote) createToken(ctx context.Context, name string, valid time.Duration, scopes ...monitor.Scope) (secret, id string, err error) {
	upper := make([]string, len(scopes))
	for i, s := range scopes {
		upper[i] = strings.ToUpper(string(s))
	}
	var data struct {
		Payload struct {
			Token  struct{ ID string }
			Secret string
			Errors []client.UserError
		}
	}
	err = r.ask(ctx, `mutation($input: TokenCreateInput!) { payload: tokenCreate(input: $input) { secret token { id } errors { code message } } }`,
		map[string]any{"input": map[string]any{"name": name, "scopes": upper, "expiresAt": time.Now().UTC().Add(valid).Format(time.RFC3339)}}, &data)
	if err == nil {
		err = client.UserErrors(data.Payload.Errors)
	}
	return data.Payload.Secret, data.Payload.Token.ID, err
}

type tokensRevokeCommand struct {
	connection `embed:""`
	IDs        []string `arg:"" env:"-" name:"id" help:"Ids of the tokens; see secmon tokens list."`
}

const revokeToken = `mutation($input: TokenRevokeInput!) { payload: tokenRevoke(input: $input) { errors { code message } } }`

// Run revokes the tokens.
func (c *tokensRevokeCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return each(ctx, r, monitor.KindAPIToken, c.IDs, revokeToken, nil, "revoked")
}

// borrowed is how long a token lives that a command makes for itself.
const borrowed = 24 * time.Hour

// ingestToken gives a token that may send events, and what ends it: a session may
// not send, so that one is made for it. What giveBack cannot end ends by itself.
func (r *remote) ingestToken(ctx context.Context) (secret string, giveBack func(), err error) {
	if !r.session {
		secret, err = r.Token(ctx)
		return secret, func() {}, err
	}
	host, _ := os.Hostname() // empty is fine
	secret, id, err := r.createToken(ctx, "secmon ingest on "+host, borrowed, monitor.ScopeIngest)
	if err != nil {
		return "", nil, fmt.Errorf("a token for sending: %w", err)
	}
	return secret, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		var data struct {
			Payload struct{ Errors []client.UserError }
		}
		err := r.Get(ctx, revokeToken, map[string]any{"input": map[string]any{"id": id}}, &data)
		if err == nil {
			err = client.UserErrors(data.Payload.Errors)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "secmon: the token that was made for sending ends in %s: %v\n", borrowed, err)
		}
	}, nil
}
