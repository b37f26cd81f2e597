/** Every text of the page in both languages. */

import { recall, remember } from './memo'

const zh = {
  title: '报工',
  scan: '请扫描流转卡上的二维码',
  scanMore: '一张二维码对应一道工序；扫描后在此报工。',
  loading: '正在读取…',
  plan: '计划',
  reported: '已报合格',
  rest: '剩余',
  finish: '完工',
  start: '开工',
  who: '工号',
  whoAsk: '请输入您的工号（只需一次）',
  save: '保存',
  change: '换人',
  nobody: '没有这个工号；如无误可继续，由计划员确认。',
  carryOn: '仍用此工号',
  machine: '设备',
  anyMachine: '不选设备',
  good: '合格数',
  scrapWork: '工废',
  scrapMaterial: '料废',
  rework: '返工',
  more: '废品、返工、设备',
  confirm: '确认',
  back: '返回',
  less: '减少',
  plus: '增加',
  noQty: '请填写数量。',
  over: '超过剩余数量 {rest}，请核对。',
  sent: '已报工',
  kept: '已保存在手机，等待网络',
  notKept: '还没有保存，等待网络',
  review: '已收到，由计划员确认',
  undone: '已撤销',
  undoing: '正在撤销…',
  undo: '撤销',
  undoFor: '{minutes} 分钟内可撤销',
  again: '再报一次',
  waiting: '{count} 份报工等待发送',
  refused: '未被接收',
  drop: '知道了',
  offline: '没有网络：先保存在手机上，恢复后自动发送。',
  unsafe: '手机无法保存报工：请不要关闭本页，直到显示“已报工”。请清理手机存储空间，或退出无痕模式。',
  trouble: '服务器暂时处理不了，会自动再试',
  insecure: '本页不是 HTTPS：断网时打不开新的二维码，请保持页面打开。',
  unknownJob: '离线打开：工序信息来自二维码。',
  started: '已记录开工',
  closed: '这道工序已结束，不能再报工。如有疑问请联系班组长。',
  engineering: '工艺尚未确认，还不能报工。',
  failed: '没有成功，请再试一次。',
}

type Words = { [key in keyof typeof zh]: string }

const en: Words = {
  title: 'Report work',
  scan: 'Scan the QR code on the traveler',
  scanMore: 'Each code stands for one operation; report it here after scanning.',
  loading: 'Reading…',
  plan: 'Planned',
  reported: 'Good so far',
  rest: 'Left',
  finish: 'Finish',
  start: 'Start',
  who: 'Worker no.',
  whoAsk: 'Your worker number (asked once)',
  save: 'Save',
  change: 'Not me',
  nobody: 'Nobody has this number. You may go on; a planner will confirm it.',
  carryOn: 'Use it anyway',
  machine: 'Machine',
  anyMachine: 'No machine',
  good: 'Good',
  scrapWork: 'Scrap by work',
  scrapMaterial: 'Scrap by material',
  rework: 'Rework',
  more: 'Scrap, rework, machine',
  confirm: 'Confirm',
  back: 'Back',
  less: 'Less',
  plus: 'More',
  noQty: 'Enter a quantity.',
  over: 'More than the {rest} left; please check.',
  sent: 'Reported',
  kept: 'Kept on the phone until there is a network',
  notKept: 'Not kept yet; waiting for a network',
  review: 'Received; a planner will confirm it',
  undone: 'Undone',
  undoing: 'Undoing…',
  undo: 'Undo',
  undoFor: 'can be undone for {minutes} min',
  again: 'Report again',
  waiting: 'Waiting to be sent: {count}',
  refused: 'Not accepted',
  drop: 'Understood',
  offline: 'No network: reports are kept on the phone and sent by themselves later.',
  unsafe: 'The phone cannot keep the report: leave this page open until it says “Reported”. Free some storage, or leave private browsing.',
  trouble: 'The server cannot take it for now; it is tried again',
  insecure: 'This page is not on HTTPS: without a network new codes cannot be opened. Keep it open.',
  unknownJob: 'Opened without a network: the job is read from the code.',
  started: 'Start recorded',
  closed: 'This job is over; nothing more can be reported. Ask the supervisor if that is wrong.',
  engineering: 'The routing is not settled yet; nothing can be reported.',
  failed: 'That did not work; please try again.',
}

export type Language = 'zh' | 'en'

let language: Language =
  (recall('language') as Language | null) ??
  (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en')

export function chosen(): Language {
  return language
}

export function choose(next: Language): void {
  language = next
  remember('language', next)
}

/** A text with `{name}` filled in. */
export function say(key: keyof Words, values: Record<string, string | number> = {}): string {
  const text = (language === 'zh' ? zh : en)[key]
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}
