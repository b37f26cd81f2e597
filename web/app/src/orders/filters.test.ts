import { expect, it } from 'vitest'
import { filtersFrom } from './filters'

it('reads the filters in an address', () => {
  const params = new URLSearchParams('stage=in_process&op=30&late=true&confirmed=false&customer=恒立&state=all')
  expect(filtersFrom(params)).toEqual({
    stage: 'in_process',
    op: '30',
    late: true,
    confirmed: false,
    customer: '恒立',
    state: 'all',
  })
})

it('leaves out what it does not know', () => {
  const params = new URLSearchParams('stage=nowhere&late=maybe&state=closed&x=1')
  expect(filtersFrom(params)).toEqual({ state: 'open' })
})
