/** What the demonstration data are made of. Where an entry stands twice, it comes up twice as often. */
export const firstNames = [
  'Ada',
  'Alan',
  'Barbara',
  'Edsger',
  'Frances',
  'Grace',
  'John',
  'Katherine',
  'Margaret',
  'Tim'
]
export const lastNames = [
  'Allen',
  'Dijkstra',
  'Hamilton',
  'Hopper',
  'Johnson',
  'Liskov',
  'Lovelace',
  'McCarthy',
  'Turing',
  'Wu'
]
export const products = [
  'Atlas',
  'Beacon',
  'Compass',
  'Delta',
  'Ember',
  'Falcon',
  'Granite',
  'Harbor',
  'Iris',
  'Juniper'
]
export const layers = ['Server', 'Web']
export const labelNames = ['bug', 'feature', 'docs', 'security', 'performance', 'design']
export const moreLabelNames = ['question', 'regression', 'good first issue', 'blocked', 'needs test', 'wontfix']
export const colors = ['b60205', 'd93f0b', 'fbca04', '0e8a16', '006b75', '1d76db', '0052cc', '5319e7']
export const verbs = ['Add', 'Fix', 'Remove', 'Document', 'Speed up', 'Rework', 'Test', 'Simplify']
export const subjects = [
  'login',
  'search',
  'export',
  'upload',
  'billing',
  'paging',
  'the cache',
  'notifications',
  'the editor'
]
export const circumstances = [
  'on slow networks',
  'for large projects',
  'after an upgrade',
  'in Safari',
  'with an empty list'
]
export const remarks = [
  'I can reproduce this.',
  'It started with the last release.',
  'The log shows nothing unusual.',
  'A retry helps, but only once.',
  'Could we ship this behind a flag?',
  'See the linked discussion for numbers.',
  'This also happens on staging.',
  'I will take a look tomorrow.'
]
export const statuses = ['OPEN', 'OPEN', 'IN_PROGRESS', 'CLOSED', 'CLOSED']
export const priorities = ['LOW', 'NORMAL', 'NORMAL', 'NORMAL', 'HIGH', 'URGENT']
