import { testFormatDomain } from '../../suites/format-domain.ts';
import { aptRig } from './rig.ts';

testFormatDomain(aptRig);
