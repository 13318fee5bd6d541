import { testFormatDomain } from '../../suites/format-domain.ts';
import { rpmRig } from './rig.ts';

testFormatDomain(rpmRig);
