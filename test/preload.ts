/** To be imported first: starts measuring in this test's process, as the preload does, with a known environment. */
import './environment.js'
import '../src/register.js'
