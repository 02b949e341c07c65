// Package demo plays attack stories and everyday noise of a small company
// through the real ingest endpoint, so that a new installation shows something.
// Outsiders come from the documentation networks of RFC 5737.
package demo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// Player makes up records. The same seed and clock give the same ones. Not for
// concurrent use.
type Player struct {
	r   *rand.Rand
	now func() time.Time
}

// New makes a player.
func New(seed int64, clock func() time.Time) *Player {
	return &Player{r: rand.New(rand.NewPCG(uint64(seed), 1)), now: clock} //nolint:gosec // demo data
}

// Step is what happens together, after a delay.
type Step struct {
	Delay   time.Duration
	Story   string
	Records []json.RawMessage
}

// Story is an attack; its records are spread over the minutes before at.
type Story struct {
	Name string
	Play func(p *Player, at time.Time) []json.RawMessage
}

// Stories lists all attacks.
var Stories = []Story{
	{"ssh brute force, then a login", (*Player).sshBruteForce},
	{"encoded PowerShell out of Word", (*Player).encodedPowerShell},
	{"credential dumping", (*Player).credentialDumping},
	{"web shell", (*Player).webShell},
	{"cloud key misuse", (*Player).cloudKeyMisuse},
	{"host agent's reports", (*Player).hostReports},
}

// History gives what happened in the last day, oldest first, in steps without delay.
func (p *Player) History() []Step {
	now := p.now()
	var steps []Step
	for minutes := 24 * 60; minutes > 0; minutes -= 12 {
		at := now.Add(-time.Duration(minutes) * time.Minute)
		steps = append(steps, Step{Story: "noise", Records: p.noise(at, 3)})
		if minutes%240 == 0 {
			story := Stories[(minutes/240)%len(Stories)]
			steps = append(steps, Step{Story: story.Name, Records: story.Play(p, at)})
		}
	}
	return steps
}

// Next gives the next step: mostly noise, now and then an attack.
func (p *Player) Next() Step {
	delay := time.Second + time.Duration(p.r.IntN(3_000))*time.Millisecond
	if p.r.IntN(6) > 0 {
		return Step{Delay: delay, Story: "noise", Records: p.noise(p.now(), 1+p.r.IntN(4))}
	}
	story := Stories[p.r.IntN(len(Stories))]
	return Step{Delay: delay, Story: story.Name, Records: story.Play(p, p.now())}
}

var (
	servers      = []string{"web-1", "web-2", "db-1", "bastion-1"}
	workstations = []string{"ws-ana", "ws-bob", "ws-carol", "ws-dan"}
	people       = []string{"ana", "bob", "carol", "dan"}
)

func pick[T any](p *Player, from []T) T { return from[p.r.IntN(len(from))] }

func (p *Player) outsider() string {
	return fmt.Sprintf("%s.%d", pick(p, []string{"192.0.2", "198.51.100", "203.0.113"}), 1+p.r.IntN(250))
}

func encode(record any) json.RawMessage {
	raw, err := json.Marshal(record)
	if err != nil {
		panic(fmt.Sprintf("demo: a record has no JSON: %v", err)) // maps of strings and numbers
	}
	return raw
}

type object = map[string]any

func journal(at time.Time, host, program, message string) json.RawMessage {
	return encode(object{"__REALTIME_TIMESTAMP": fmt.Sprint(at.UnixMicro()), "_HOSTNAME": host, "SYSLOG_IDENTIFIER": program, "MESSAGE": message, "PRIORITY": "6"})
}

func sysmon(at time.Time, host string, id int, data object) json.RawMessage {
	data["UtcTime"] = at.UTC().Format("2006-01-02 15:04:05.000")
	return encode(object{"Event": object{
		"System": object{"Provider": object{"#attributes": object{"Name": "Microsoft-Windows-Sysmon"}}, "EventID": id, "Channel": "Microsoft-Windows-Sysmon/Operational",
			"Computer": host + ".corp.example", "TimeCreated": object{"#attributes": object{"SystemTime": at.UTC().Format(time.RFC3339Nano)}}},
		"EventData": data,
	}})
}

func cloudTrail(at time.Time, source, name, user, address string, more object) json.RawMessage {
	record := object{"eventVersion": "1.08", "eventTime": at.UTC().Format(time.RFC3339), "eventSource": source + ".amazonaws.com", "eventName": name, "awsRegion": "eu-central-1",
		"sourceIPAddress": address, "userAgent": "aws-cli/2.15", "userIdentity": object{"type": "IAMUser", "userName": user, "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/" + user}}
	for k, v := range more {
		record[k] = v
	}
	return encode(record)
}
