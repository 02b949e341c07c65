package contract

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Driver measures the contract's queries and prints tables in Markdown.
type Driver struct {
	Data   string `help:"Directory of the database, kept for the next time. In the user's cache directory without it." type:"path" placeholder:"DIR"`
	Events int    `help:"Events to load." default:"5000000"`
	Alerts int    `help:"Alerts to load." default:"200000"`
	Seed   uint64 `help:"Of everything random." default:"1"`
	Short  bool   `help:"50,000 events, 2,000 alerts and a few seconds."`
	Load   bool   `help:"Load and leave."`
}

// Run loads what is not loaded, measures and prints.
func (d *Driver) Run(ctx context.Context) error {
	if d.Short {
		d.Events, d.Alerts = 50_000, 2_000
	}
	if d.Data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		d.Data = filepath.Join(cache, "secmon-bench", fmt.Sprintf("%d-%d", d.Events, d.Alerts))
	}
	data, err := open(ctx, d.Data, plan{Seed: d.Seed, Events: d.Events, Alerts: d.Alerts, End: time.Now().UTC().Truncate(time.Hour)})
	if err != nil {
		return err
	}
	defer data.server.Close() //nolint:errcheck // it has ended
	return nil
}
