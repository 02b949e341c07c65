package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pquerna/otp/totp"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// An administrator makes an account; the person takes it over, sets up an
// authenticator app, makes a token, sees and ends logins; shutting the person out
// ends what their token has open.
func TestAccountFromItsMakingToItsEnd(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	type errors []struct{ Code, Message string }
	type payload struct {
		User *struct {
			ID       string
			Version  int
			Disabled bool
		}
		Errors errors
	}
	var made struct{ UserCreate payload }
	post(t, r.URL(), admin, `mutation { userCreate(input: {name: "Eve", role: ANALYST, password: "a first password"}) { user { id version disabled } errors { code message } } }`, nil, &made)
	if made.UserCreate.User == nil {
		t.Fatalf("%+v", made)
	}
	id := made.UserCreate.User.ID
	post(t, r.URL(), admin, `mutation { userCreate(input: {name: "eve", role: ANALYST, password: "a first password"}) { user { id version disabled } errors { code message } } }`, nil, &made)
	if made.UserCreate.User != nil || made.UserCreate.Errors[0].Code != "CONFLICT" {
		t.Errorf("a name is given twice: %+v", made)
	}
	eve, other := login(t, r.URL(), "eve", "a first password"), login(t, r.URL(), "eve", "a first password")
	if a := post(t, r.URL(), eve, `mutation { userCreate(input: {name: "x", role: ADMIN, password: "a first password"}) { errors { code } } }`, nil, nil); a.code() != "FORBIDDEN" {
		t.Errorf("an analyst makes accounts: %+v", a)
	}
	var set struct{ ViewerSetPassword struct{ Errors errors } }
	const setPassword = `mutation($old: String!, $new: String!) { viewerSetPassword(input: {password: $old, newPassword: $new}) { viewer { role } errors { code message } } }`
	post(t, r.URL(), eve, setPassword, map[string]any{"old": "not the password", "new": "my own password"}, &set)
	if len(set.ViewerSetPassword.Errors) != 1 {
		t.Errorf("a password is set without the old one: %+v", set)
	}
	post(t, r.URL(), eve, setPassword, map[string]any{"old": "a first password", "new": "my own password"}, &set)
	if len(set.ViewerSetPassword.Errors) != 0 {
		t.Fatalf("%+v", set)
	}
	if a := post(t, r.URL(), other, `{ viewer { role } }`, nil, nil); a.code() != "UNAUTHENTICATED" {
		t.Errorf("the other login outlives the password: %+v", a)
	}

	var enrol struct{ TotpEnrol struct{ Secret, URI string } }
	post(t, r.URL(), eve, `mutation { totpEnrol(input: {password: "my own password"}) { secret uri errors { code message } } }`, nil, &enrol)
	code, err := totp.GenerateCode(enrol.TotpEnrol.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var confirm struct {
		TotpConfirm struct {
			RecoveryCodes []string
			Errors        errors
		}
	}
	post(t, r.URL(), eve, `mutation($c: String!) { totpConfirm(input: {code: $c}) { recoveryCodes errors { code message } } }`, map[string]any{"c": code}, &confirm)
	if len(confirm.TotpConfirm.RecoveryCodes) != 10 {
		t.Fatalf("%+v", confirm)
	}
	var in struct {
		SessionLogin struct {
			AccessToken string
			Errors      errors
		}
	}
	const logIn = `mutation($c: String) { sessionLogin(input: {name: "eve", password: "my own password", code: $c}) { accessToken errors { code message } } }`
	post(t, r.URL(), "", logIn, nil, &in)
	if in.SessionLogin.AccessToken != "" || in.SessionLogin.Errors[0].Code != "TOTP_REQUIRED" {
		t.Errorf("a password alone suffices: %+v", in)
	}
	post(t, r.URL(), "", logIn, map[string]any{"c": confirm.TotpConfirm.RecoveryCodes[0]}, &in)
	if in.SessionLogin.AccessToken == "" {
		t.Fatalf("%+v", in)
	}

	var sessions struct {
		Sessions struct {
			Nodes []struct {
				ID, Address string
				Current     bool
				User        struct{ Name string }
			}
		}
	}
	post(t, r.URL(), eve, `{ sessions(first: 10) { nodes { id address current user { name } } } }`, nil, &sessions)
	if n := len(sessions.Sessions.Nodes); n != 2 || sessions.Sessions.Nodes[0].Current || !sessions.Sessions.Nodes[1].Current || sessions.Sessions.Nodes[0].Address != "127.0.0.1" {
		t.Fatalf("%+v", sessions)
	}
	ana := userToken(t, r, "ana", monitor.RoleAnalyst)
	for bearer, want := range map[string]string{ana: "<nil>", eve: "true", admin: "true"} {
		var seen struct{ User struct{ SecondFactor any } }
		post(t, r.URL(), bearer, `query($id: ID!) { user(id: $id) { secondFactor } }`, map[string]any{"id": id}, &seen)
		if got := fmt.Sprint(seen.User.SecondFactor); got != want {
			t.Errorf("somebody sees %s of the second factor, want %s", got, want)
		}
	}
	var revoked struct{ SessionRevoke struct{ Errors errors } }
	const revoke = `mutation($id: ID!) { sessionRevoke(input: {id: $id}) { errors { code message } } }`
	post(t, r.URL(), ana, revoke, map[string]any{"id": sessions.Sessions.Nodes[0].ID}, &revoked)
	if len(revoked.SessionRevoke.Errors) != 1 || revoked.SessionRevoke.Errors[0].Code != "NOT_FOUND" {
		t.Errorf("another's login can be ended, or told from none: %+v", revoked)
	}
	post(t, r.URL(), eve, revoke, map[string]any{"id": sessions.Sessions.Nodes[0].ID}, &revoked)
	if a := post(t, r.URL(), in.SessionLogin.AccessToken, `{ viewer { role } }`, nil, nil); a.code() != "UNAUTHENTICATED" {
		t.Errorf("a login that was ended lives: %+v", a)
	}

	var token struct {
		TokenCreate struct {
			Secret string
			Token  struct {
				ID     string
				Scopes []string
				Owner  struct{ Name string }
			}
			Errors errors
		}
	}
	post(t, r.URL(), eve, `mutation($at: Time!) { tokenCreate(input: {name: "feed", scopes: [READ], expiresAt: $at}) { secret token { id scopes owner { name } } errors { code message } } }`,
		map[string]any{"at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, &token)
	if token.TokenCreate.Token.Owner.Name != "eve" || len(token.TokenCreate.Token.Scopes) != 1 {
		t.Fatalf("%+v", token)
	}
	if a := post(t, r.URL(), token.TokenCreate.Secret, `mutation { tokenCreate(input: {name: "x", scopes: [READ], expiresAt: "2030-01-01T00:00:00Z"}) { errors { code } } }`, nil, nil); a.code() != "FORBIDDEN" {
		t.Errorf("a token makes tokens: %+v", a)
	}
	open := subscribed(t, r, token.TokenCreate.Secret, `subscription { alertFeed { cursor } }`, nil)
	var shut struct{ UserUpdate payload }
	post(t, r.URL(), admin, `mutation($id: ID!) { userUpdate(input: {id: $id, disabled: true, expectedVersion: 1}) { user { id version disabled } errors { code message } } }`, map[string]any{"id": id}, &shut)
	if shut.UserUpdate.User == nil || shut.UserUpdate.Errors[0].Code != "CONFLICT" {
		t.Errorf("an old version is taken: %+v", shut)
	}
	post(t, r.URL(), admin, `mutation($id: ID!) { userUpdate(input: {id: $id, disabled: true}) { user { id version disabled } errors { code message } } }`, map[string]any{"id": id}, &shut)
	if !shut.UserUpdate.User.Disabled {
		t.Fatalf("%+v", shut)
	}
	_ = open.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var ended error
	for ended == nil {
		_, ended = open.next()
	}
	if !websocket.IsCloseError(ended, 4403) {
		t.Errorf("what the token of somebody who is shut out has open ends with %v", ended)
	}
	for _, credential := range []string{eve, token.TokenCreate.Secret} {
		if a := post(t, r.URL(), credential, `{ viewer { role } }`, nil, nil); a.code() != "UNAUTHENTICATED" {
			t.Errorf("somebody who is shut out comes in: %+v", a)
		}
	}
	var last struct{ UserUpdate payload }
	var me struct {
		Viewer struct{ User struct{ ID string } }
	}
	post(t, r.URL(), admin, `{ viewer { user { id } } }`, nil, &me)
	post(t, r.URL(), admin, `mutation($id: ID!) { userUpdate(input: {id: $id, role: VIEWER}) { user { id version disabled } errors { code message } } }`, map[string]any{"id": me.Viewer.User.ID}, &last)
	if len(last.UserUpdate.Errors) != 1 || last.UserUpdate.Errors[0].Code != "CONFLICT" {
		t.Errorf("the last administrator resigns: %+v", last)
	}
}

func userToken(t *testing.T, r *replica, name string, role monitor.Role) string {
	t.Helper()
	user(t, r, name, role)
	return login(t, r.URL(), name, testPassword)
}
