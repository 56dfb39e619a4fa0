package main

import (
	"context"
	"fmt"
	"runtime"
)

func version(_ context.Context, i *invocation) error {
	_, err := fmt.Fprintf(i.stdout, "xmlcurld %s (revision %s, %s)\n", buildVersion, buildRevision(), runtime.Version())
	return err
}
