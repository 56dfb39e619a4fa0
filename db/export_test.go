package db

import "context"

// Ask asks whatever a test wants, as every question is asked.
func Ask(ctx context.Context, s *Store, query string) error {
	_, err := collect[Setting](ctx, s, "ask", query)
	return err
}
