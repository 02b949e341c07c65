package main

import (
	"context"
	"fmt"

	"github.com/security-monitor/secmon/app"
)

type keysCommand struct {
	New    keysNewCommand    `cmd:"" help:"Make a key for --jwt-keys or --sealing-keys and print it."`
	Reseal keysResealCommand `cmd:"" help:"Seal every kept secret anew with the first of the sealing keys, so that the others may go."`
}

type keysNewCommand struct{}

// Run prints a new key.
func (*keysNewCommand) Run() error { //nolint:unparam // kong wants an error
	fmt.Println(app.NewKey())
	return nil
}

type keysResealCommand struct {
	app.Storage     `embed:""`
	SealingKeys     string `name:"sealing-keys" help:"The keys as the servers have them: the first seals, all open. Better given as SECMON_SEALING_KEYS." placeholder:"KEY,..."`
	SealingKeysFile string `name:"sealing-keys-file" help:"File with the keys." type:"path" placeholder:"FILE"`
}

// Run seals anew. Secrets that no key opens are an error, after the others are done.
func (c *keysResealCommand) Run(ctx context.Context) error {
	resealed, lost, err := app.Reseal(ctx, c.Storage, c.SealingKeys, c.SealingKeysFile, quiet())
	if err != nil {
		return err
	}
	fmt.Printf("%s sealed anew; the others were already\n", counted(resealed, "secret"))
	if lost > 0 {
		return partial{fmt.Errorf("%s sealed with none of these keys: of a webhook or a mapping make a new one; whoever has lost a second factor has recovery codes, or needs an administrator to take it away", counted(lost, "secret"))}
	}
	return nil
}
