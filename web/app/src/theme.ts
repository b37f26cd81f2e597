import type { ThemeConfig } from 'antd'

export const FONT =
  '-apple-system, BlinkMacSystemFont, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif'

/** The look of the workshop: warm grey ground, white cards, one green. */
export const theme: ThemeConfig = {
  token: {
    colorPrimary: '#2f6f5e',
    colorLink: '#2a6455',
    colorLinkHover: '#1f4e42',
    colorWarning: '#d9a441',
    colorError: '#c0392b',
    colorSuccess: '#2f6f5e',
    colorInfo: '#2f6f5e',
    colorWarningBg: '#fcf5e6',
    colorWarningBorder: '#e6cf9d',
    colorBgLayout: '#f4f6f5',
    colorText: '#1e2623',
    colorTextSecondary: '#55605b',
    colorTextTertiary: '#66716c',
    colorTextPlaceholder: '#6b7671',
    colorTextDisabled: '#757f7a',
    colorBorder: '#d5dbd8',
    colorBorderSecondary: '#e4e8e6',
    borderRadius: 6,
    borderRadiusLG: 8,
    fontFamily: FONT,
    fontSize: 14,
    lineHeight: 1.6,
    controlHeight: 34,
    motionDurationMid: '0.12s',
    motionDurationSlow: '0.18s',
  },
  components: {
    Button: { primaryShadow: 'none', defaultShadow: 'none', fontWeight: 500 },
    Drawer: { paddingLG: 20 },
    Modal: { titleFontSize: 16 },
  },
}
