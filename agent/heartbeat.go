package agent

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"
)

// heartbeat reports that the agent is there, how the machine is, and what became of the
// agent's records: those that were lost are never lost silently.
type heartbeat struct {
	*Agent
	last      Counters
	lastSkips uint64
	system    *host.InfoStat // asked for once: it costs a tenth of a second, and stays
}

// heartbeatReport is the report "heartbeat".
type heartbeatReport struct {
	head
	Version     string  `json:"agent_version"`
	Uptime      int64   `json:"agent_uptime_seconds"`
	CPUSeconds  float64 `json:"agent_cpu_seconds"`
	MemoryBytes uint64  `json:"agent_memory_bytes"`
	Platform    string  `json:"platform"`
	Kernel      string  `json:"kernel"`
	BootTime    string  `json:"boot_time"`
	CPUs        int     `json:"cpus"`
	Load1       float64 `json:"load_1m"`
	MemoryUsed  float64 `json:"memory_used_percent"`
	DiskUsed    float64 `json:"disk_used_percent"`
	Counters
	Lost    uint64   `json:"lost"`    // since the heartbeat before: dropped, refused, rejected
	Skipped uint64   `json:"skipped"` // seen and not told, since then
	Faults  []string `json:"faults"`
}

func (s *heartbeat) name() string { return "heartbeat" }

func (s *heartbeat) run(ctx context.Context) error {
	return s.each(ctx, s.name(), s.cfg.Heartbeat, s.once)
}

func (s *heartbeat) once(ctx context.Context) error {
	now := time.Now()
	counters, err := s.spool.Counters()
	if err != nil {
		return err
	}
	faults, skipped := s.notes.tell()
	slices.Sort(faults)
	if s.last.Agent == "" { // the first since the start: go on from what was told before it
		if s.last, err = s.told(); err != nil {
			return err
		}
	}
	r := heartbeatReport{
		head: s.head("heartbeat", now), Version: s.cfg.Version, Uptime: int64(now.Sub(s.begun).Seconds()), CPUs: runtime.NumCPU(),
		Counters: counters, Lost: lost(counters) - min(lost(s.last), lost(counters)), Skipped: skipped - s.lastSkips, Faults: append([]string{}, faults...),
	}
	s.machine(ctx, &r)
	records, err := encode([]heartbeatReport{r})
	if err != nil {
		return err
	}
	told, err := encode([]Counters{counters})
	if err != nil {
		return err
	}
	if err := s.spool.Put(s.name(), Known{stateKey: told[0]}, records); err != nil {
		return err
	}
	if r.Lost > 0 {
		s.lg.Warn("agent: records were lost", "records", r.Lost, "dropped", counters.Dropped, "refused", counters.Refused, "rejected", counters.Rejected)
	}
	s.last, s.lastSkips = counters, skipped
	return nil
}

// told gives the counters that the last heartbeat in the spool told, zeros before the first.
func (s *heartbeat) told() (c Counters, err error) {
	known, err := s.spool.Known(s.name())
	if text := known[stateKey]; err == nil && text != nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

func lost(c Counters) uint64 { return c.Dropped + c.Refused + c.Rejected }

// machine asks for what systems tell; what one does not tell is left 0.
func (s *heartbeat) machine(ctx context.Context, r *heartbeatReport) {
	if s.system == nil {
		s.system, _ = host.InfoWithContext(ctx)
	}
	if h := s.system; h != nil {
		r.Platform, r.Kernel = h.Platform+" "+h.PlatformVersion, h.KernelVersion
		r.BootTime = time.Unix(int64(h.BootTime), 0).UTC().Format(time.RFC3339)
	}
	if l, err := load.AvgWithContext(ctx); err == nil {
		r.Load1 = l.Load1
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		r.MemoryUsed = m.UsedPercent
	}
	if d, err := disk.UsageWithContext(ctx, s.cfg.Dir); err == nil {
		r.DiskUsed = d.UsedPercent
	}
	self, err := process.NewProcessWithContext(ctx, int32(os.Getpid()))
	if err != nil {
		return
	}
	if t, err := self.TimesWithContext(ctx); err == nil {
		r.CPUSeconds = t.User + t.System
	}
	if m, err := self.MemoryInfoWithContext(ctx); err == nil {
		r.MemoryBytes = m.RSS
	}
}
