//go:build linux

package bench

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"

	"xmlcurld/cmd/lab/rig"
)

// ConstantVerb makes this program serve a constant instead of measuring.
const ConstantVerb = "constant"

// ServeConstant answers every request with what stands in from.
func ServeConstant(address string, from io.Reader) error {
	answer, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write(answer)
	}))
}

// startConstant starts a plain handler of Go's net/http with answer.
func startConstant(ctx context.Context, dir string, answer []byte) (*rig.Process, string, error) {
	address, err := rig.FreeAddress()
	if err != nil {
		return nil, "", err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command(self, ConstantVerb, address)
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	p, err := rig.Start(cmd, dir, ConstantVerb)
	if err != nil {
		return nil, "", err
	}
	if _, err := input.Write(answer); err != nil {
		return p, "", err
	}
	if err := input.Close(); err != nil {
		return p, "", err
	}
	return p, address, p.Await(ctx, func() error { return rig.Accepts(address) })
}
