import { testAttacks } from "./attack_tests.ts";
import { ATTACKS_OF_USERS } from "./attacks.ts";

testAttacks(ATTACKS_OF_USERS);
