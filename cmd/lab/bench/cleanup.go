//go:build linux

package bench

import (
	"errors"

	"xmlcurld/cmd/lab/rig"
)

// cleanup is what is to be done in the end, the last first.
type cleanup []func() error

// started sees that the process is stopped in the end, whether it is of use or not.
func (c *cleanup) started(p *rig.Process, address string, err error) (server, error) {
	if p != nil {
		*c = append(*c, func() error { p.Stop(); return nil })
	}
	return server{p, address}, err
}

// close stops everything, the last first.
func (c cleanup) close() error {
	var err error
	for i := len(c) - 1; i >= 0; i-- {
		err = errors.Join(err, c[i]())
	}
	return err
}
