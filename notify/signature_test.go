package notify

import (
	"strings"
	"testing"
	"time"
)

// The example of the Standard Webhooks specification's libraries.
func TestSignAsTheSpecificationDoes(t *testing.T) {
	got, err := Sign([]string{testSecret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestRotatedSecretSignsTwice(t *testing.T) {
	fresh := NewSecret()
	both, err := Sign([]string{fresh, testSecret}, "msg_1", time.Unix(1, 0), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	one, _ := Sign([]string{fresh}, "msg_1", time.Unix(1, 0), []byte("{}"))
	two, _ := Sign([]string{testSecret}, "msg_1", time.Unix(1, 0), []byte("{}"))
	if both != one+" "+two {
		t.Errorf("%q is not %q and %q", both, one, two)
	}
}

func TestSecretThatIsNoneIsNotTold(t *testing.T) {
	if _, err := Sign([]string{"whsec_!!hush!!"}, "msg_1", time.Unix(1, 0), nil); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v", err)
	}
}

func TestPauseGrowsToABoundAndHonoursRetryAfter(t *testing.T) {
	l := DefaultLimits
	var sum time.Duration
	tries := 0
	for sum < l.GiveUp {
		tries++
		d := l.pause(tries, 0)
		if d < l.FirstRetry/2 || d > l.LastRetry {
			t.Fatalf("try %d: %s", tries, d)
		}
		sum += d
	}
	if tries < 15 || tries > 40 {
		t.Errorf("%d tries in %s", tries, l.GiveUp)
	}
	if d := l.pause(1, time.Hour); d != time.Hour {
		t.Errorf("asked for an hour, waits %s", d)
	}
	if d := l.pause(1, 1000*time.Hour); d != maxRetryAfter {
		t.Errorf("asked for weeks, waits %s", d)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "99999999999": maxRetryAfter,
		"Mon, 04 May 2026 12:01:00 GMT": time.Minute, "Mon, 04 May 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
