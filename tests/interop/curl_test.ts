import { testClient } from "./client_suite.ts";
import { CURL } from "./curl.ts";

testClient(CURL);
