package main

import (
	"context"
	"errors"

	"xmlcurld/db/localpg"
	"xmlcurld/db/schema"
)

func migrate(ctx context.Context, i *invocation) (err error) {
	database, err := openDatabase(ctx, i, localpg.Join)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.close()) }()
	return schema.Migrate(ctx, database.url, i.log)
}
