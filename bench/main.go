// Command bench measures the product against what else there is. See
// docs/benchmarks.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/security-monitor/secmon/bench/contract"
	"github.com/security-monitor/secmon/bench/detect"
	"github.com/security-monitor/secmon/bench/feed"
)

type commands struct {
	Feed       feed.Driver         `cmd:"" help:"Measure live feeds: secmon, gqlgen's stock transport and centrifuge, one after the other."`
	Contract   contract.Driver     `cmd:"" help:"Measure the contract's queries: the dashboard's own operations against millions of events."`
	Pod        contract.Pod        `cmd:"" help:"Measure what one replica with 200 m CPU and 256 MiB carries: answers, subscribers and events at once."`
	Indicators contract.Indicators `cmd:"" help:"Measure what a million indicators cost the whole of ingest, against none."`
	Ingest     contract.Ingest     `cmd:"" help:"Measure durable ingest with all of SigmaHQ's rules on: events a second, latency, memory, and where the time goes."`
	Detect     detect.Driver       `cmd:"" help:"Measure the detection engine beside the other ones in Go: SigmaHQ's rules on real logs."`
	Serve      feed.Server         `cmd:"" hidden:"" help:"A server that is measured; feed starts it."`
	Load       feed.Load           `cmd:"" hidden:"" help:"The client that connects and counts; feed starts it."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cli := kong.Parse(&commands{}, kong.Name("bench"), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	cli.FatalIfErrorf(cli.Run())
}
