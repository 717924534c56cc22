import { AccountFeed } from "../../../lib/state/postgres/account_feed.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../../helpers/postgres/test_database.ts";
import { TcpProxy } from "../../helpers/tcp_proxy.ts";

Deno.test({
  name: "AccountFeed tells that changes may have been missed where it could not listen at first",
  ignore: IS_POSTGRES_ABSENT,
  fn: async () => {
    await using database = await TestDatabase.open();
    await using proxy = new TcpProxy(database.address.port);
    proxy.hang();
    const missed = Promise.withResolvers<void>();
    await using _feed = new AccountFeed({ ...database.address, port: proxy.port }, {
      authorities: database.authorities,
      onAccount: () => {},
      onReconnected: missed.resolve,
    });
    const resume = setTimeout(() => {
      proxy.cut();
      proxy.resume();
    }, 200);
    const deadline = setTimeout(() => missed.reject(new Error("It has told nothing")), 10_000);
    try {
      await missed.promise;
    } finally {
      clearTimeout(resume);
      clearTimeout(deadline);
    }
  },
});
