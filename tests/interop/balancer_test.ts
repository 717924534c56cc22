import { testBehindBalancers } from "./balancer.ts";
import { CURL } from "./curl.ts";
import { LFTP } from "./lftp.ts";
import { FTPLIB } from "./python_ftplib.ts";

for (const client of [CURL, LFTP, FTPLIB]) testBehindBalancers(client);
