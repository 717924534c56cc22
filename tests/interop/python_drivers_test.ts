import { testClient } from "./client_suite.ts";
import { drivenBy, realClient } from "./clients.ts";

for (const name of drivenBy("/usr/bin/python3")) testClient(realClient(name));
