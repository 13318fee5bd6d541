import { testFormatDomain } from '../../suites/format-domain.ts';
import { toyRig } from './rig.ts';

testFormatDomain(toyRig);
