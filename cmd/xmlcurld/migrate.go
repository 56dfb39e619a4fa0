package main

import (
	"context"

	"xmlcurld/db/schema"
)

func migrate(ctx context.Context, i *invocation) error {
	return withDatabase(ctx, i, func(url string) error { return schema.Migrate(ctx, url, i.log) })
}
