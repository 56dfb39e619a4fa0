package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"xmlcurld/internal/nodeauth"
)

// hashPassword prints the hash of the first line of a file, without operand of its input. No password is taken from the
// command line, where others could see it.
func hashPassword(_ context.Context, i *invocation) error {
	file := os.Stdin
	if len(i.operands) > 0 {
		var err error
		if file, err = os.Open(i.operands[0]); err != nil {
			return fmt.Errorf("read the password: %w", err)
		}
		defer func() { _ = file.Close() }()
	}
	lines := bufio.NewScanner(io.LimitReader(file, 4096))
	lines.Scan()
	if err := lines.Err(); err != nil {
		return errors.New("read the password: not a line")
	}
	hash, err := nodeauth.Hash(lines.Text())
	if err != nil {
		return err
	}
	fmt.Fprintln(i.stdout, hash)
	return nil
}
