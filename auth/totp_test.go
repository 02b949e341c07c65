package auth_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

type rig struct {
	auth  *auth.Auth
	store *db.Store
	clock *clock
	user  *monitor.User
}

func newRig(t *testing.T) rig {
	t.Helper()
	a, store, c := newAuth(t)
	user, _, _, err := store.Login(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	return rig{a, store, c, user}
}

// A second factor counts when it is confirmed; each code is good once, also on
// another replica, and so is each recovery code.
func TestSecondFactor(t *testing.T) {
	r := newRig(t)
	a, user, actor := r.auth, r.user, monitor.Actor{Kind: monitor.ActorUser, ID: r.user.ID, Name: "ana"}
	login := func(code string) monitor.Code {
		t.Helper()
		_, err := a.Login(t.Context(), auth.Login{Name: "ana", Password: password, Code: code, Address: "192.0.2.1"})
		if err == nil {
			return ""
		}
		return monitor.CodeOf(err)
	}
	enrolment, err := a.Enrol(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	code := func(later time.Duration) string {
		t.Helper()
		c, err := totp.GenerateCode(enrolment.Secret, r.clock.now().Add(later))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got := login(""); got != "" {
		t.Errorf("a factor that is not confirmed counts: %s", got)
	}
	if _, err := a.Confirm(t.Context(), actor, user, "000000", "192.0.2.1"); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("a wrong code confirms: %v", err)
	}
	confirming := code(0)
	recovery, err := a.Confirm(t.Context(), actor, user, confirming, "192.0.2.1")
	if err != nil || len(recovery) != 10 {
		t.Fatal(recovery, err)
	}
	for _, step := range []struct {
		name string
		wait time.Duration
		code func() string
		want monitor.Code
	}{
		{"none", 0, func() string { return "" }, monitor.CodeTOTPRequired},
		{"that of the confirmation", 0, func() string { return confirming }, monitor.CodeBadInput},
		{"the next", 30 * time.Second, func() string { return code(0)[:3] + " " + code(0)[3:] }, ""},
		{"the same again", 0, func() string { return code(0) }, monitor.CodeBadInput},
		{"of a clock that is fast", 30 * time.Second, func() string { return code(30 * time.Second) }, ""},
		{"one older than that", 0, func() string { return code(0) }, monitor.CodeBadInput},
		{"too old", 10 * time.Minute, func() string { return code(-2 * time.Minute) }, monitor.CodeBadInput},
		{"a recovery code", 20 * time.Minute, func() string { return recovery[3] }, ""},
		{"the same recovery code", 0, func() string { return recovery[3] }, monitor.CodeBadInput},
		{"another, written otherwise", time.Hour, func() string { return " " + recovery[4][:9] + recovery[4][10:] }, ""},
		{"no code", 0, func() string { return "000000" }, monitor.CodeBadInput},
	} {
		r.clock.pass(step.wait)
		if got := login(step.code()); got != step.want {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
	if _, err := a.Enrol(t.Context(), user); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("a confirmed factor is replaced: %v", err)
	}
	// Whoever reads the database cannot make codes.
	factor, _, err := r.store.SecondFactor(t.Context(), user.ID)
	if err != nil || bytes.Contains(factor.Sealed, []byte(enrolment.Secret)) {
		t.Errorf("the secret stands in the database: %q %v", factor.Sealed, err)
	}
	// Without the key the app's codes are useless, and recovery codes still work.
	other, err := auth.ParseKeys("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE")
	if err != nil {
		t.Fatal(err)
	}
	a.SealWith(other)
	r.clock.pass(time.Hour)
	if got := login(code(0)); got != monitor.CodeBadInput {
		t.Errorf("with another key a code is %q", got)
	}
	if got := login(recovery[5]); got != "" {
		t.Errorf("with another key a recovery code is %q", got)
	}
	if err := r.store.RemoveSecondFactor(t.Context(), monitor.SystemActor, user.ID); err != nil {
		t.Fatal(err)
	}
	if got := login(""); got != "" {
		t.Errorf("without a factor: %q", got)
	}
	// Neither secret nor codes stand in the journal.
	entries, err := r.store.Entries(t.Context(), 0, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		for _, c := range e.Body.Changes {
			for _, secret := range append(recovery, enrolment.Secret, password) {
				if bytes.Contains(c.After, []byte(secret)) {
					t.Errorf("entry %d tells a secret: %s", e.Seq, c.After)
				}
			}
		}
	}
}

// A token does what its owner may do now: no more when the owner is demoted,
// nothing when they are shut out.
func TestTokenFollowsItsOwner(t *testing.T) {
	r := newRig(t)
	v := &monitor.Viewer{User: r.user} // an analyst
	month := r.clock.now().Add(30 * 24 * time.Hour)
	for name, bad := range map[string]func() error{
		"beyond the role": func() error {
			_, _, err := r.auth.CreateTokenOf(t.Context(), v, "x", []monitor.Scope{monitor.ScopeAdmin}, month)
			return err
		},
		"for ever": func() error {
			_, _, err := r.auth.CreateTokenOf(t.Context(), v, "x", []monitor.Scope{monitor.ScopeRead}, month.Add(2*monitor.MaxTokenLife))
			return err
		},
		"over": func() error {
			_, _, err := r.auth.CreateTokenOf(t.Context(), v, "x", []monitor.Scope{monitor.ScopeRead}, r.clock.now())
			return err
		},
		"without a scope": func() error {
			_, _, err := r.auth.CreateTokenOf(t.Context(), v, "x", nil, month)
			return err
		},
	} {
		if err := bad(); monitor.CodeOf(err) != monitor.CodeBadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret, _, err := r.auth.CreateTokenOf(t.Context(), v, "mine", []monitor.Scope{monitor.ScopeWrite, monitor.ScopeRead, monitor.ScopeRead}, month)
	if err != nil {
		t.Fatal(err)
	}
	role := func() monitor.Role {
		t.Helper()
		viewer, err := r.auth.Viewer(t.Context(), secret)
		if monitor.CodeOf(err) == monitor.CodeUnauthenticated {
			return ""
		}
		if err != nil {
			t.Fatal(err)
		}
		return viewer.Role()
	}
	before, err := r.auth.Viewer(t.Context(), secret)
	if err != nil || before.Role() != monitor.RoleAnalyst {
		t.Fatal(before, err)
	}
	change := func(f func(*monitor.User)) {
		t.Helper()
		if _, err := r.store.UpdateUser(t.Context(), monitor.SystemActor, r.user.ID, nil, f); err != nil {
			t.Fatal(err)
		}
	}
	change(func(u *monitor.User) { u.Role = monitor.RoleViewer })
	if got := role(); got != monitor.RoleViewer {
		t.Errorf("the token of a viewer acts as %q", got)
	}
	if err := r.auth.Recheck(t.Context(), before); monitor.CodeOf(err) != monitor.CodeUnauthenticated {
		t.Errorf("what is open with the former rights stays open: %v", err)
	}
	change(func(u *monitor.User) { u.Disabled = true })
	if got := role(); got != "" {
		t.Errorf("the token of somebody who is shut out acts as %q", got)
	}
	change(func(u *monitor.User) { u.Disabled, u.Role = false, monitor.RoleAnalyst })
	if got := role(); got != monitor.RoleAnalyst {
		t.Errorf("the token acts as %q again", got)
	}
}

// Somebody always remains who can mend things, also when two take the role from
// one another at the same moment.
func TestLastAdministratorStays(t *testing.T) {
	store := dbtest.New(t)
	make2 := func() (a, b monitor.ID) {
		var ids []monitor.ID
		for _, name := range []string{"first", "second"} {
			u, err := store.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: name, DisplayName: name, Role: monitor.RoleAdmin}, "x")
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, u.ID)
		}
		return ids[0], ids[1]
	}
	a, b := make2()
	demote := func(u *monitor.User) { u.Role = monitor.RoleViewer }
	shut := func(u *monitor.User) { u.Disabled = true }
	for range 20 {
		done := make(chan error, 2)
		go func() {
			_, err := store.UpdateUser(t.Context(), monitor.SystemActor, a, nil, demote)
			done <- err
		}()
		go func() {
			_, err := store.UpdateUser(t.Context(), monitor.SystemActor, b, nil, shut)
			done <- err
		}()
		refused := 0
		for range 2 {
			if err := <-done; monitor.CodeOf(err) == monitor.CodeConflict {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if refused != 1 {
			t.Fatalf("%d of two were refused", refused)
		}
		for _, id := range []monitor.ID{a, b} {
			if _, err := store.UpdateUser(t.Context(), monitor.SystemActor, id, nil, func(u *monitor.User) { u.Role, u.Disabled = monitor.RoleAdmin, false }); err != nil {
				t.Fatal(err)
			}
		}
	}
}
