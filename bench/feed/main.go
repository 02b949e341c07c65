// Command feed measures live feeds: our transport, gqlgen's own, and the
// centrifuge library, one after another in one run on one machine, with the same
// load client and the same payload. It prints one Markdown table a scenario.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "serve" {
		raiseLimit()
		groups, _ := strconv.Atoi(os.Args[3])
		if err := serve(os.Args[2], groups); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	scenarios := flag.String("scenarios", "idle,paced,burst,mixed,slow,storm,scale", "which to run")
	servers := flag.String("servers", "secmon,gqlgen,centrifuge", "which to measure")
	n := flag.Int("n", 5_000, "subscribers")
	short := flag.Bool("short", false, "a minute's worth: few subscribers, short times")
	flag.Parse()
	raiseLimit()
	r := runner{servers: strings.Split(*servers, ","), n: *n, seconds: 8}
	if *short {
		r.n, r.seconds = min(*n, 500), 2
	}
	all := map[string]func(context.Context) error{
		"idle": r.idle, "paced": r.paced, "burst": r.burst, "mixed": r.mixed, "slow": r.slow, "storm": r.storm, "scale": r.scale,
	}
	for _, name := range strings.Split(*scenarios, ",") {
		run, ok := all[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "no scenario %q\n", name)
			os.Exit(2)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
		err := run(ctx)
		cancel()
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// raiseLimit lets this process have many connections.
func raiseLimit() {
	for _, n := range []uint64{50_000, 20_000} {
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n}) == nil {
			return
		}
	}
}
