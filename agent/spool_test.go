package agent

import (
	"fmt"
	"strings"
	"testing"
)

func open(t *testing.T, dir string, most int64) *Spool {
	t.Helper()
	s, err := OpenSpool(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func numbered(from, to int) (records [][]byte) {
	for i := from; i < to; i++ {
		records = append(records, fmt.Appendf(nil, `{"n":"%d"}`, i))
	}
	return records
}

func put(t *testing.T, s *Spool, known Known, records [][]byte) {
	t.Helper()
	if err := s.Put("test", known, records); err != nil {
		t.Fatal(err)
	}
}

func TestSpoolOfAnotherAgentSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, 1<<20)
	if _, err := OpenSpool(dir, 1<<20); err == nil || !strings.Contains(err.Error(), "in use by another agent") || !strings.Contains(err.Error(), "--spool-dir") || !strings.Contains(err.Error(), "serve --agent") {
		t.Errorf("%v", err)
	}
}

func TestSpoolKeepsOrderAndWhatIsKnownOverARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	put(t, s, Known{"a": []byte("1"), "b": []byte("2")}, numbered(0, 2_500))
	put(t, s, Known{"a": nil}, numbered(2_500, 2_501))
	if err := s.Put("tes", Known{"z": []byte("3")}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, 1<<20)
	known, err := s.Known("test")
	if err != nil || len(known) != 1 || string(known["b"]) != "2" {
		t.Errorf("known %v, %v", known, err)
	}
	if c, err := s.Counters(); err != nil || c.Waiting != 2_501 {
		t.Errorf("%+v, %v", c, err)
	}
	records := texts(spooled(t, s), "n")
	for i := range 2_501 {
		if records[i] != fmt.Sprint(i) {
			t.Fatalf("record %d is %s", i, records[i])
		}
	}
	if c, _ := s.Counters(); c.Waiting != 0 || c.Bytes != 0 || c.Stored != 2_501 || c.Dropped != 0 {
		t.Errorf("%+v", c)
	}
}

func TestFullSpoolDropsTheOldestAndCountsThem(t *testing.T) {
	s := open(t, t.TempDir(), 4_000)
	total := 0
	for i := range 200 {
		put(t, s, nil, numbered(i, i+3))
		total += 3
	}
	c, err := s.Counters()
	if err != nil || c.Bytes > 4_000 || c.Bytes < 3_000 || c.Dropped == 0 || int(c.Dropped+c.Waiting) != total {
		t.Fatalf("%+v, %v", c, err)
	}
	records := spooled(t, s)
	if len(records) != int(c.Waiting) || records[len(records)-1]["n"] != "201" {
		t.Errorf("%d of %d records, the last %v", len(records), c.Waiting, records[len(records)-1])
	}
	put(t, s, nil, [][]byte{[]byte(`{"n":"` + strings.Repeat("x", 100) + `"}`)})
	s.max = 1
	put(t, s, nil, numbered(7, 8))
	if records := spooled(t, s); len(records) != 1 || records[0]["n"] != "7" {
		t.Errorf("the newest always has room: %v", records)
	}
}

func TestWhatIsDroppedOnItsWayIsNotLost(t *testing.T) {
	s := open(t, t.TempDir(), 1)
	put(t, s, nil, numbered(0, 5))
	underWay, _, err := s.oldest()
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, nil, numbered(5, 6))
	if c, _ := s.Counters(); c.Dropped != 5 {
		t.Fatalf("%+v", c)
	}
	if err := s.done(&underWay, outcome{stored: 5}); err != nil {
		t.Fatal(err)
	}
	if c, _ := s.Counters(); c.Dropped != 0 || c.Stored != 5 || c.Waiting != 1 {
		t.Errorf("%+v", c)
	}
}
